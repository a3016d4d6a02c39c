// What is wrong with what somebody typed, in words; empty when nothing is.
const SHORTEST = 8;
const LONGEST = 200;

export const emailFault = (email: string): string =>
  /^[^@\s]+@[^@\s]+$/.test(email.trim())
    ? ''
    : 'Write an e-mail address, such as anna@example.org.';

export function passwordFault(password: string): string {
  const length = [...password].length;
  if (length >= SHORTEST && length <= LONGEST) return '';
  return length > LONGEST
    ? `At most ${LONGEST} characters, please.`
    : `At least ${SHORTEST} characters; several plain words are good.`;
}

export const missing = (text: string, what: string): string => (text.trim() ? '' : what);
