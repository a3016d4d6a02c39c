import { describe, expect, it } from 'vitest';
import { emailFault, passwordFault } from '../src/components/account/faults';
import { amount, GB, MB, unlimited } from '../src/components/account/figures';
import { jobsOf } from '../src/components/account/words';
import { expiry, isOver, type Key } from '../src/components/keys/calls';
import { asked, choiceOf, figureOf, ROWS, type LimitRow } from '../src/components/people/limit';

const row = (name: string): LimitRow => ROWS.find((one) => one.name === name) as LimitRow;
const stored = row('bytes_stored');
const daily = row('jobs_per_day');

describe('amounts', () => {
  it('are in the units in which limits are set', () => {
    expect(amount(20 * GB)).toBe('20 GB');
    expect(amount(1.5 * GB)).toBe('1.5 GB');
    expect(amount(500 * MB)).toBe('500 MB');
    expect(amount(0)).toBe('0 MB');
    expect(amount(1)).toBe('under 0.1 MB');
  });
});

describe('a limit of somebody', () => {
  it('is the usual one, an own one, or none', () => {
    expect(choiceOf(stored, null)).toBe('usual');
    expect(choiceOf(stored, 0)).toBe('own');
    expect(choiceOf(stored, 2 ** 53 - 1)).toBe('off');
    expect(choiceOf(daily, 2 ** 31 - 1)).toBe('off');
    expect(unlimited('jobs_waiting', 999_999)).toBe(false);
  });

  it('shows in its unit what was saved', () => {
    for (const [one, figure] of [
      [stored, '1.5'],
      [stored, '0.25'],
      [daily, '0'],
      [row('upload_bytes'), '750'],
    ] as const) {
      expect(figureOf(one, asked(one, 'own', figure) as number)).toBe(figure);
    }
    expect(figureOf(stored, null)).toBe('');
  });

  it('is refused in words when it is no number', () => {
    for (const odd of ['', '  ', 'many', '-1', 'NaN', 'Infinity', '1e']) {
      expect(asked(stored, 'own', odd)).toBeInstanceOf(Error);
    }
    expect(asked(daily, 'own', '1.5')).toBeInstanceOf(Error);
    expect(asked(daily, 'own', '2147483647')).toBeInstanceOf(Error);
    expect(asked(stored, 'own', '99999999')).toBeInstanceOf(Error);
    expect(asked(stored, 'own', '1,5')).toBe(1.5 * GB);
    expect(asked(daily, 'off', 'many')).toBe('off');
    expect(asked(daily, 'usual', 'many')).toBeNull();
  });
});

describe('what is typed', () => {
  it('is an e-mail address or not', () => {
    for (const good of ['anna@example.org', ' anna@localhost ', 'ä@ö.de'])
      expect(emailFault(good)).toBe('');
    for (const bad of ['', 'anna', '@x', 'anna@', 'a b@c']) expect(emailFault(bad)).not.toBe('');
  });

  it('is long enough in characters, not in code units', () => {
    expect(passwordFault('12345678')).toBe('');
    expect(passwordFault('😀😀😀😀')).toContain('At least 8');
    expect(passwordFault('x'.repeat(201))).toContain('At most 200');
  });
});

describe('a key', () => {
  const key: Key = {
    id: '1',
    name: 'nightly',
    prefix: 'rsh_x',
    scopes: ['read'],
    created_at: '2026-11-22T12:00:00Z',
  };
  const now = Date.parse('2026-11-22T12:00:00Z');

  it('is over when it is revoked, or its time is up', () => {
    expect(isOver(key, now)).toBe(false);
    expect(isOver({ ...key, revoked_at: key.created_at }, now)).toBe(true);
    expect(isOver({ ...key, expires_at: key.created_at }, now)).toBe(true);
    expect(isOver({ ...key, expires_at: expiry(30, now) }, now)).toBe(false);
    expect(expiry(0, now)).toBeNull();
  });
});

describe('a count of jobs', () => {
  it('says so in words', () => {
    expect(jobsOf(null)).toBe('');
    expect(jobsOf({ count: 0, more: false })).toBe('');
    expect(jobsOf({ count: 1, more: false })).toBe('1 job');
    expect(jobsOf({ count: 1000, more: true })).toBe('over 1,000 jobs');
  });
});
