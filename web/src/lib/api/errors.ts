/** An answer of the API that is no success, or none at all (status 0). */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }

  /** Messages by input, with dotted names ("speakers.0.audio"). */
  get fields(): Record<string, string> {
    const { fields } = this.details;
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, string>) : {};
  }
}

/** The error in an answer's body, whatever that body is. */
export function errorFrom(status: number, body: unknown): ApiError {
  const error = (body as { error?: unknown } | null | undefined)?.error;
  if (typeof error === 'object' && error !== null) {
    const { message, code, details } = error as Partial<ApiError>;
    return new ApiError(message || `Rushes answered ${status}.`, status, code ?? '', details ?? {});
  }
  return new ApiError(`Rushes answered ${status} without saying why. Try again.`, status, '');
}

export const unreachable = (): ApiError =>
  new ApiError(
    'Rushes did not answer. Check the connection and that it is running.',
    0,
    'unreachable',
  );

/** What to tell a person about anything that was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
