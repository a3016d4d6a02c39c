import type { Job, Progress } from './api/types';

export interface LiveListener {
  job(job: Job): void;
  progress(id: string, progress: Progress): void;
  removed(id: string): void;
  /** Connected; `gap` is true when changes before may have been missed, so that a look is due. */
  connected(gap: boolean): void;
  lost(): void;
}

const RETRY_MS = [1000, 2000, 5000, 10_000];

/** The live feed over one EventSource. Returns how to stop it. */
export function follow(listener: LiveListener, url = '/api/events'): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let failures = 0;
  let fresh = true; // a connection that the browser can't resume by Last-Event-ID

  const parsed = <T>(event: Event): T => JSON.parse((event as MessageEvent<string>).data) as T;

  function open(): void {
    source = new EventSource(url);
    source.addEventListener('hello', () => {
      listener.connected(fresh);
      [failures, fresh] = [0, false];
    });
    source.addEventListener('job', (event) => listener.job(parsed<Job>(event)));
    source.addEventListener('progress', (event) => {
      const { id, ...progress } = parsed<Progress & { id: string }>(event);
      listener.progress(id, progress);
    });
    source.addEventListener('removed', (event) =>
      listener.removed(parsed<{ id: string }>(event).id),
    );
    source.onerror = () => {
      listener.lost();
      // The browser reconnects by itself, except after an answer that is no stream (a 4xx or 5xx).
      if (source?.readyState === EventSource.CLOSED) retry();
    };
  }

  function retry(): void {
    source?.close();
    fresh = true;
    clearTimeout(timer);
    timer = window.setTimeout(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
  }

  const wake = () => {
    if (source?.readyState === EventSource.OPEN) return listener.connected(false);
    clearTimeout(timer);
    source?.close();
    fresh = true;
    open();
  };
  window.addEventListener('online', wake);
  open();
  return () => {
    window.removeEventListener('online', wake);
    clearTimeout(timer);
    source?.close();
  };
}
