// In the units in which limits are set: a GB here is 1024³ bytes, as in RUSHES_LIMIT_STORED_GB.
export const GB = 1024 ** 3;
export const MB = 1024 ** 2;

const LEAST_UNLIMITED = 1_000_000; // jobs: what stands for "no limit" in the database, and anything above
const LEAST_UNLIMITED_BYTES = 2 ** 53 - 1;

/** 1610612736 → "1.5 GB". */
export function amount(bytes: number): string {
  const [size, unit] = bytes >= GB ? [bytes / GB, 'GB'] : [bytes / MB, 'MB'];
  const shown = size >= 100 || Number.isInteger(size) ? Math.round(size) : size.toFixed(1);
  return bytes > 0 && bytes < MB / 10 ? 'under 0.1 MB' : `${shown} ${unit}`;
}

export const count = (number: number): string => number.toLocaleString('en');

/** Whether a stored limit means that there is none. */
export const unlimited = (name: string, limit: number): boolean =>
  limit >= (name.includes('bytes') ? LEAST_UNLIMITED_BYTES : LEAST_UNLIMITED);
