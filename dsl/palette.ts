// How diagnostics look on a terminal, and where there is none.

/** How the parts of a diagnostic look; each function returns the same text, styled. */
export interface Palette {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  /** The message itself. */
  readonly message: (text: string) => string;
  /** Carets, margins and labels. */
  readonly mark: (text: string) => string;
  readonly label: (text: string) => string;
}

const same = (text: string): string => text;
export const PLAIN_PALETTE: Palette = { error: same, warning: same, message: same, mark: same, label: same };

const styled =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`;
export const ANSI_PALETTE: Palette = {
  error: styled(31),
  warning: styled(33),
  message: styled(1),
  mark: styled(36),
  label: styled(36),
};
