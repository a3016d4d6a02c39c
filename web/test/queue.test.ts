import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { atMostEvery } from '../src/components/queue/pace';
import { lineWords, range, type Line } from '../src/components/queue/words';
import { ceiling, filled, pieces } from '../src/components/admin/scale';
import { memoryWords, stateOf } from '../src/components/admin/words';
import type { Server } from '../src/components/admin/types';

const QUIET: Line = {
  running: 0,
  waiting: 0,
  waiting_more: false,
  mine: { running: 0, waiting: 0, position: null },
  servers_up: 1,
  seconds: null,
  paused: [],
};
const said = (changes: Partial<Line>) =>
  lineWords({ ...QUIET, ...changes }, (type) => type.toUpperCase()).join(' · ');

describe('the queue line', () => {
  it('says what runs, what waits, and for how long', () => {
    const mine = { running: 1, waiting: 3, position: 2 };
    expect(said({ running: 2, waiting: 6, mine, seconds: [118, 241] })).toBe(
      '2 running · 6 waiting, yours 3 · about 2–4 min',
    );
    expect(said({})).toBe('Queue empty');
  });

  it('says the place of the only one', () => {
    const mine = { running: 0, waiting: 1, position: 4 };
    expect(said({ waiting: 5, mine })).toBe('0 running · 5 waiting, yours at place 4');
    expect(said({ waiting: 1, mine: { ...mine, position: 1 } })).toContain('yours is next');
  });

  it('says why nothing moves', () => {
    expect(said({ waiting: 1000, waiting_more: true, servers_up: 0 })).toBe(
      '0 running · over 1,000 waiting · no server is up',
    );
    expect(said({ paused: ['*', 'flux'] })).toBe('Queue empty · everything is paused');
    expect(said({ paused: ['flux'] })).toBe('Queue empty · paused: FLUX');
  });

  it('is no more exact than it can be', () => {
    expect(range(3, 3)).toBe('3 s');
    expect(range(0, 0)).toBe('1 s');
    expect(range(21, 38)).toBe('20–40 s');
    expect(range(52, 200)).toBe('50 s – 3 min');
    expect(range(3000, 9000)).toBe('50 min – 2 h 30 min');
  });
});

describe('looking again', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('happens at once, then at most every so often, and never gets lost', () => {
    const run = vi.fn();
    const pace = atMostEvery(2000, run);
    for (let i = 0; i < 5; i++) pace.soon();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 10; i++) {
      pace.soon();
      vi.advanceTimersByTime(150);
    }
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(600);
    expect(run).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(60_000);
    expect(run).toHaveBeenCalledTimes(2);
    pace.soon();
    pace.stop();
    vi.advanceTimersByTime(60_000);
    expect(run).toHaveBeenCalledTimes(2);
  });
});

const NOW = Date.parse('2026-05-01T12:00:00Z');
const SERVER = {
  enabled: true,
  draining: false,
  state: 'up',
  last_seen_at: '2026-05-01T11:00:00Z',
  open_until: null,
  failures: 0,
  jobs: [],
} as unknown as Server;
const job = { id: 'a', workflow_type: 'flux', started_at: null, progress: null };

describe('a server in words', () => {
  const state = (changes: Partial<Server>) => stateOf({ ...SERVER, ...changes }, NOW);

  it('knows every state', () => {
    expect(state({})).toEqual({ tone: 'good', text: 'Up, idle' });
    expect(state({ jobs: [job, job] }).text).toBe('Up, runs 2 jobs');
    expect(state({ draining: true, jobs: [job] }).text).toBe('Draining, finishes 1 job');
    expect(state({ draining: true }).text).toBe('Drained, takes no jobs');
    expect(state({ enabled: false, state: 'down' }).text).toBe('Disabled, takes no jobs');
    expect(state({ state: 'unknown' }).text).toBe('Not asked yet');
    expect(state({ state: 'down', last_seen_at: null }).text).toBe('Down, has never answered');
  });

  it('says several at once', () => {
    const both = state({ state: 'down', draining: true });
    expect(both.tone).toBe('bad');
    expect(both.text).toMatch(/^Down since .+ · Drained, takes no jobs$/);
  });

  it('rests only until the breaker closes', () => {
    const open = { open_until: '2026-05-01T12:00:30Z', failures: 3 };
    expect(state(open).text).toMatch(/^Rests until .+ after 3 failures in a row$/);
    expect(state({ ...open, open_until: '2026-05-01T11:59:59Z' }).text).toBe('Up, idle');
  });

  it('says its memory', () => {
    expect(memoryWords({ vram_free: 12e9, vram_total: 24e9 })).toBe('12 GB of 24 GB free');
    expect(memoryWords({ vram_total: 0 })).toBe('unknown');
  });
});

describe('the charts', () => {
  const step = { completed: 1, failed: 0, cancelled: 0, waited_p50: 2, waited_p90: 3 };

  it('have a place for every step', () => {
    const all = filled([{ ...step, step: 48 }]);
    expect(all).toHaveLength(48);
    expect(all[47]?.completed).toBe(1);
    expect(all[0]?.waited_p50).toBeNull();
  });

  it('end at a round figure', () => {
    expect([0, 1, 1.2, 3, 7, 10, 11, 99, 400].map(ceiling)).toEqual([
      1, 1, 2, 5, 10, 10, 20, 100, 500,
    ]);
  });

  it('are broken where nothing is known', () => {
    const found = pieces([null, 1, 2, null, null, 3]);
    expect(found.map((piece) => piece.map(({ at }) => at))).toEqual([[1, 2], [5]]);
  });
});
