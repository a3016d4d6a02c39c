import { amount, count, GB, MB, unlimited } from '../account/figures';
import type { Usual } from '../limits/calls';
import type { LimitChanges } from './calls';

export type LimitName = keyof LimitChanges & string;
export type Choice = 'usual' | 'own' | 'off';

export interface LimitRow {
  name: LimitName;
  title: string;
  unit: string;
  factor: number; // what one of the unit counts
  usual: (installation: Usual) => string;
}

const jobs = (name: 'jobs_per_day' | 'jobs_waiting' | 'jobs_running', title: string): LimitRow => ({
  name,
  title,
  unit: 'jobs',
  factor: 1,
  usual: (installation) => counted(installation[name]),
});
const counted = (limit: number | null): string => (limit === null ? 'no limit' : count(limit));

export const ROWS: LimitRow[] = [
  {
    name: 'bytes_stored',
    title: 'Stored',
    unit: 'GB',
    factor: GB,
    usual: ({ bytes_stored }) => (bytes_stored === null ? 'no limit' : amount(bytes_stored)),
  },
  jobs('jobs_per_day', 'Jobs in 24 hours'),
  jobs('jobs_waiting', 'Jobs that wait'),
  jobs('jobs_running', 'Jobs that run'),
  {
    name: 'upload_bytes',
    title: 'Largest upload',
    unit: 'MB',
    factor: MB,
    usual: (installation) =>
      `${amount(installation.upload_video_bytes)} video, ${amount(installation.upload_other_bytes)} else`,
  },
];

export function choiceOf(row: LimitRow, stored: number | null | undefined): Choice {
  if (stored == null) return 'usual';
  return unlimited(row.name, stored) ? 'off' : 'own';
}

/** A stored limit in the row's unit, as text. */
export function figureOf(row: LimitRow, stored: number | null | undefined): string {
  return choiceOf(row, stored) === 'own'
    ? String(Number(((stored ?? 0) / row.factor).toFixed(3)))
    : '';
}

/** What to send for a row; a string that says what is wrong when nothing can be sent. */
export function asked(
  row: LimitRow,
  choice: Choice,
  figure: string,
): number | 'off' | null | Error {
  if (choice !== 'own') return choice === 'off' ? 'off' : null;
  const value = Number(figure.trim().replace(',', '.') || NaN);
  if (!Number.isFinite(value) || value < 0) return new Error('Write a number, 0 or more.');
  if (row.factor === 1 && !Number.isInteger(value)) return new Error('Write a whole number.');
  if (value * row.factor >= 2 ** 53 - 1 || (row.factor === 1 && value >= 2 ** 31 - 1))
    return new Error('That is more than can be counted; choose “no limit”.');
  return Math.round(value * row.factor);
}
