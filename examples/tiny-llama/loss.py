"""Prints the loss of checkpoints on a text of each domain: `python loss.py DIR …` (PyTorch, transformers)."""
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SAMPLES = pathlib.Path(__file__).parent / "data" / "samples.json"
CONTEXT = 256  # tokens; the model's limit


def losses(directory):
    """Mean cross-entropy in nats per token of each domain's text, computed in float32."""
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(directory)
    result = {}
    for domain, text in json.loads(SAMPLES.read_text(encoding="utf-8")).items():
        ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"][:CONTEXT]])
        with torch.no_grad():
            logits = model(ids[:, :-1]).logits
        result[domain] = torch.nn.functional.cross_entropy(logits[0], ids[0, 1:]).item()
    return result


def main(directories):
    width = max(len(directory) for directory in directories)
    for position, directory in enumerate(directories):
        row = losses(directory)
        if position == 0:
            print(" " * width, *(f"{domain:>8}" for domain in row), f"{'mean':>8}")
        cells = [*row.values(), sum(row.values()) / len(row)]
        print(f"{directory:<{width}}", *(f"{loss:8.4f}" for loss in cells), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
