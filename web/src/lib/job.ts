import { KINDS, type Job, type Kind, type OutputFile, type StoredFile } from './api/types';
import { filtersOf, type View } from './view';

export const isTerminal = (job: Job): boolean =>
  job.status === 'completed' || job.status === 'failed' || job.status === 'cancelled';

/** "/storage/…" of an object key. */
export const storageUrl = (key: string): string =>
  `/storage/${key.split('/').map(encodeURIComponent).join('/')}`;

/** Empty for a file of an old table that was never brought into the storage. */
export const fileUrl = (file: OutputFile): string =>
  file.url ?? (file.key ? storageUrl(file.key) : '');

export function downloadUrl(file: OutputFile): string {
  const url = fileUrl(file);
  return url && `${url}${url.includes('?') ? '&' : '?'}download=1`;
}

export const files = (job: Job): OutputFile[] => job.outputs?.files ?? [];
export const texts = (job: Job): string[] => (job.outputs?.texts ?? []).map((entry) => entry.text);

/** How many results a job has, of any kind. */
export const resultCount = (job: Job): number => files(job).length + texts(job).length;

export function isStoredFile(value: unknown): value is StoredFile {
  if (typeof value !== 'object' || value === null) return false;
  return 'key' in value && typeof value.key === 'string';
}

/** Every file among the inputs, in order, lists and groups included. */
export function inputFiles(value: unknown): StoredFile[] {
  if (isStoredFile(value)) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(inputFiles);
}

const MIN_RATIO = 0.56;
const MAX_RATIO = 2.2;
const TEXT_RATIO = 1.25;
const AUDIO_RATIO = 1.9;

/** Width by height of a job's frame in the feed: known, or guessed from what was asked for. */
export function frameRatio(job: Job, outputKind?: string): number {
  const [first] = files(job);
  if (first?.kind === 'audio') return AUDIO_RATIO;
  if (job.outputs && !first) return TEXT_RATIO;
  if (!first && outputKind === 'audio') return AUDIO_RATIO;
  if (!first && outputKind === 'text') return TEXT_RATIO;
  const size =
    sized(first) ?? askedSize(job.inputs) ?? inputFiles(job.inputs).map(sized).find(Boolean);
  return Math.min(MAX_RATIO, Math.max(MIN_RATIO, size ?? 1));
}

function askedSize(inputs: Record<string, unknown>): number | undefined {
  const { resolution } = inputs;
  return sized(inputs) ?? (typeof resolution === 'object' ? sized(resolution) : undefined);
}

function sized(thing: unknown): number | undefined {
  const { width, height } = (thing ?? {}) as { width?: unknown; height?: unknown };
  return typeof width === 'number' && typeof height === 'number' && width > 0 && height > 0
    ? width / height
    : undefined;
}

/** The line under a card: its title, else its prompt, else the name of the file it started from. */
export function caption(job: Job, workflowTitle: string): string {
  const [first, ...others] = inputFiles(job.inputs);
  const source =
    first && (others.length > 1 ? `${first.filename} and ${others.length} more` : first.filename);
  const text = job.title?.trim() || job.prompt_text?.trim() || source;
  return (text || workflowTitle).replace(/\s+/g, ' ').slice(0, 300);
}

/** What a job that isn't finished is doing, in words. */
export function doing(job: Job): string {
  if (job.cancel_requested_at && !isTerminal(job)) return 'Cancelling';
  if (job.status === 'pending') return job.waiting_reason ? 'Waiting' : 'Queued';
  switch (job.progress?.stage) {
    case 'uploading':
      return 'Sending inputs';
    case 'queued':
      return "In the server's queue";
    case 'collecting':
      return 'Storing results';
    default:
      return job.progress?.node_title || job.progress?.node || 'Starting';
  }
}

/** Percent done, or null while nobody knows. */
export function percent(job: Job): number | null {
  const { percent: given, value, max } = job.progress ?? {};
  const share = given ?? (value != null && max ? (100 * value) / max : null);
  return share == null ? null : Math.min(100, Math.max(0, share));
}

/** One plain line of why a job failed. */
export function failure(job: Job): string {
  return job.error_message?.split('\n')[0]?.trim() || 'This job failed without saying why.';
}

export function kindsOf(job: Job): Kind[] {
  const kinds = new Set(files(job).map((file) => file.kind));
  if (job.outputs?.texts?.length) kinds.add('text');
  return KINDS.filter((kind) => kinds.has(kind));
}

/** Whether a job that came in live belongs in the feed as it is filtered now. */
export function matches(job: Job, view: View, me: string | null): boolean {
  const wanted = filtersOf(view);
  if (Boolean(job.deleted_at) !== view.trash) return false;
  if (wanted.scope === 'mine' && job.user_id !== me) return false;
  if (wanted.workflow_type && !wanted.workflow_type.includes(job.workflow_type)) return false;
  if (wanted.status && !wanted.status.includes(job.status)) return false;
  if (wanted.kind && !kindsOf(job).includes(wanted.kind)) return false;
  return !wanted.q || found(wanted.q, `${job.title ?? ''} ${job.prompt_text ?? ''}`);
}

/** Near enough to the server's search for one new row: every word, no -word, "phrases" whole. */
function found(query: string, text: string): boolean {
  const lower = text.toLowerCase();
  const terms = query.toLowerCase().match(/-?"[^"]*"|\S+/g) ?? [];
  return terms.every((term) => {
    const not = term.startsWith('-') && term.length > 1;
    const word = term.slice(not ? 1 : 0).replaceAll('"', '');
    return lower.includes(word) !== not;
  });
}
