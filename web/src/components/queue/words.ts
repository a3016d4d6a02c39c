import { span } from '../../lib/time';

/** GET /api/queue. */
export interface Line {
  running: number;
  waiting: number;
  waiting_more: boolean;
  mine: { running: number; waiting: number; position: number | null };
  servers_up: number;
  seconds?: [low: number, high: number] | null;
  paused: string[];
}

export const EVERYTHING = '*';

/** The queue in a few words each: "2 running", "6 waiting, yours 3", "about 2–4 min". */
export function lineWords(line: Line, title: (type: string) => string): string[] {
  const { running, waiting, mine, servers_up } = line;
  return [
    ...(running || waiting ? [`${count(running)} running`, waitingWords(line)] : ['Queue empty']),
    ...(mine.waiting && line.seconds ? [`about ${range(...line.seconds)}`] : []),
    ...(waiting && !servers_up ? ['no server is up'] : []),
    ...pausedWords(line.paused, title),
  ];
}

function waitingWords({ waiting, waiting_more, mine }: Line): string {
  const all = `${waiting_more ? 'over ' : ''}${count(waiting)} waiting`;
  if (!mine.waiting) return all;
  if (mine.waiting > 1) return `${all}, yours ${count(mine.waiting)}`;
  return `${all}, yours ${mine.position === 1 ? 'is next' : `at place ${count(mine.position ?? 0)}`}`;
}

function pausedWords(paused: string[], title: (type: string) => string): string[] {
  if (!paused.length) return [];
  if (paused.includes(EVERYTHING)) return ['everything is paused'];
  return [`paused: ${paused.map(title).join(', ')}`];
}

/** "40 s", "20–40 s", "2–4 min", "50 s – 3 min". */
export function range(low: number, high: number): string {
  const [from, to] = [rounded(low), rounded(Math.max(low, high))];
  if (from === to) return span(to);
  const unit = (seconds: number) => (seconds < 60 ? 1 : seconds < 3600 ? 60 : 3600);
  const same = unit(from) === unit(to) && from % unit(to) === 0;
  return same ? `${from / unit(from)}–${span(to)}` : `${span(from)} – ${span(to)}`;
}

/** As exact as a guess may look. */
function rounded(seconds: number): number {
  const step = seconds < 20 ? 1 : seconds < 60 ? 5 : seconds < 3600 ? 60 : 1800;
  return Math.max(1, Math.round(seconds / step) * step);
}

const count = (jobs: number): string => jobs.toLocaleString('en');
