import { plural } from '../../lib/text';
import type { JobCount } from './calls';

/** "3 jobs", "over 1,000 jobs"; empty when there are none. */
export function jobsOf(count: JobCount | null): string {
  if (!count?.count) return '';
  return `${count.more ? 'over ' : ''}${plural(count.count, 'job')}`;
}
