import { SvelteMap } from 'svelte/reactivity';
import { api } from './api/calls';
import { ApiError, messageOf } from './api/errors';
import type { Job, Me, Progress, Workflow, WorkflowSummary } from './api/types';
import { Feed } from './feed.svelte';
import { matches } from './job';
import type { LiveListener } from './live';
import { location } from './location.svelte';
import { onchange } from './memory';
import { sentence, words } from './text';
import { usualTime } from './time';
import { followTogether } from './together';

const PATIENCE_MS = 3000;
const SETTLE_MS = 1500; // whoever changes the password here gets a new session in that time

type Connection = 'connecting' | 'live' | 'lost' | 'offline';

/** Who is here, what can be run, and the one live connection. */
class Session {
  me = $state.raw<Me | null>(null);
  workflows = $state.raw<WorkflowSummary[]>([]);
  previewDefault = $state(false);
  connection = $state<Connection>('connecting');
  started = $state(false); // known who is here, and connected: what is loaded now misses nothing
  problem = $state(''); // why the page could not start
  comfyui = $state(''); // why jobs wait, in the server's words; empty when they don't
  readonly feed = new Feed();
  #details = new SvelteMap<string, Workflow>();
  #watchers = new Set<(job: Job) => void>();
  #watchersOfProgress = new Set<(id: string, progress: Progress) => void>();

  async start(): Promise<void> {
    if (this.started) return window.location.reload();
    try {
      // First and alone: this request gives a new browser its account.
      this.me = await api.me();
      const { data, preview_default } = await api.workflows();
      this.workflows = data;
      this.previewDefault = preview_default ?? false;
      this.problem = '';
    } catch (error) {
      this.problem = messageOf(error);
      return;
    }
    void this.#look();
    // Another tab signed in or out: what is here is somebody else's.
    onchange('account', () => window.location.reload());
    await Promise.race([
      this.#follow(),
      new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)),
    ]);
    this.started = true;
  }

  title(type: string): string {
    return this.workflows.find((workflow) => workflow.type === type)?.title ?? words(type);
  }

  outputKind(type: string): string | undefined {
    return this.workflows.find((workflow) => workflow.type === type)?.output_kind;
  }

  /** How long such a job usually takes, from the finished ones on this page. */
  usualTime(like: Job): string | null {
    const alike = (job: Job) =>
      job.workflow_type === like.workflow_type &&
      job.workflow_name === like.workflow_name &&
      job.status === 'completed';
    return usualTime(this.feed.jobs.filter(alike).map((job) => job.processing_time_seconds ?? 0));
  }

  async workflow(type: string): Promise<Workflow> {
    const known = this.#details.get(type);
    if (known) return known;
    const workflow = await api.workflow(type);
    this.#details.set(type, workflow);
    return workflow;
  }

  /** Tell everybody on this page that a job changed. */
  receive(job: Job): void {
    this.feed.receive(job);
    for (const watcher of this.#watchers) watcher(job);
  }

  /** A job was sent from this page. */
  begin(job: Job): void {
    this.feed.begin(job);
    if (matches(job, location.view, this.me?.id ?? null))
      window.scrollTo({ top: 0, behavior: 'smooth' });
  }

  /** Be told of every job that changes. Returns how to stop it. */
  watch(watcher: (job: Job) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Be told of every progress that comes in, of jobs in the feed or not. Returns how to stop it. */
  watchProgress(watcher: (id: string, progress: Progress) => void): () => void {
    this.#watchersOfProgress.add(watcher);
    return () => this.#watchersOfProgress.delete(watcher);
  }

  /** Resolves at the first word about the connection. */
  #follow(): Promise<void> {
    let resolve: () => void = () => undefined;
    const first = new Promise<void>((done) => (resolve = done));
    const listener: LiveListener = {
      job: (job) => this.receive(job),
      progress: (id, progress) => {
        this.comfyui = '';
        this.feed.receiveProgress(id, progress);
        for (const watcher of this.#watchersOfProgress) watcher(id, progress);
      },
      removed: (id) => this.feed.remove(id),
      connected: (gap) => {
        this.connection = 'live';
        resolve();
        if (gap && this.started) {
          void this.feed.catchUp();
          void this.#look();
        }
      },
      lost: () => {
        this.connection = navigator.onLine ? 'lost' : 'offline';
        resolve();
        setTimeout(() => void this.#recognise(), SETTLE_MS);
      },
    };
    followTogether(listener, this.me?.id ?? 'nobody');
    window.addEventListener('offline', () => (this.connection = 'offline'));
    return first;
  }

  /** The live feed ends, too, for whoever was signed out elsewhere, disabled or given other rights. */
  async #recognise(): Promise<void> {
    try {
      const me = await api.me();
      if (me.id !== this.me?.id) window.location.reload();
      else if (me.is_admin !== this.me?.is_admin) this.me = me;
    } catch (error) {
      if (error instanceof ApiError && error.status === 403) this.problem = error.message;
    }
  }

  async #look(): Promise<void> {
    try {
      const { parts } = await api.readiness();
      const part = parts.comfyui;
      this.comfyui =
        part && !part.ok
          ? sentence(part.message || 'no ComfyUI server is reachable; jobs wait until one is')
          : '';
    } catch {
      // The connection's own banner says what is wrong.
    }
  }
}

export const session = new Session();
