import { bytes, plural } from '../../lib/text';
import type { Device, Server } from './types';

export type Tone = 'good' | 'plain' | 'bad';

/** What a server is doing, in words, and whether that is as it should be. */
export function stateOf(server: Server, now: number): { tone: Tone; text: string } {
  if (!server.enabled) return { tone: 'plain', text: `Disabled${finishing(server)}` };
  const parts: string[] = [];
  if (server.state === 'down') parts.push(downWords(server));
  if (server.state === 'unknown') parts.push('Not asked yet');
  const rests = server.open_until !== null && Date.parse(server.open_until) > now;
  if (rests) parts.push(restWords(server));
  if (server.draining) parts.push(drainWords(server));
  if (parts.length) {
    const bad = server.state === 'down' || rests;
    return { tone: bad ? 'bad' : 'plain', text: parts.join(' · ') };
  }
  const jobs = server.jobs.length;
  return { tone: 'good', text: jobs ? `Up, runs ${plural(jobs, 'job')}` : 'Up, idle' };
}

function finishing({ jobs }: Server): string {
  return jobs.length ? `, finishes ${plural(jobs.length, 'job')}` : ', takes no jobs';
}

function drainWords(server: Server): string {
  return server.jobs.length ? `Draining${finishing(server)}` : 'Drained, takes no jobs';
}

function downWords({ last_seen_at }: Server): string {
  return last_seen_at ? `Down since ${point(last_seen_at)}` : 'Down, has never answered';
}

function restWords({ open_until, failures }: Server): string {
  const why = failures ? ` after ${plural(failures, 'failure')} in a row` : '';
  return `Rests until ${point(open_until ?? '')}${why}`;
}

/** The time; the day before it unless it is today. */
export function point(at: string): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString('en', {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  });
  const today = date.toDateString() === new Date().toDateString();
  if (today) return time;
  return `${date.toLocaleDateString('en', { day: 'numeric', month: 'short' })}, ${time}`;
}

/** "12 GB of 24 GB free". */
export function memoryWords({ vram_free, vram_total }: Device): string {
  return vram_total ? `${bytes(vram_free ?? 0)} of ${bytes(vram_total)} free` : 'unknown';
}

/** "cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync" → "NVIDIA GeForce RTX 4090". */
export function deviceName({ name, type }: Device): string {
  const plain = (name ?? '').replace(/^cuda:\d+ /, '').replace(/ : \w+$/, '');
  return plain || type || 'Device';
}
