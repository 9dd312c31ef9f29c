// Arithmetic on a recipe's own numbers. Only + − × ÷ on float64, so every machine gets the same bits, and a number is the
// same whether the analysis computes it or lowering does, tensor by tensor.

export type ArithmeticOperator = "+" | "-" | "*" | "/";

export function compute(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
  }
}
