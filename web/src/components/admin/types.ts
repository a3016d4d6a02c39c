import type { Progress } from '../../lib/api/types';

// What the API describes only as JSON: rows of GET /api/servers, /api/queue/pauses and /api/stats.

export interface Device {
  name?: string;
  type?: string;
  vram_total?: number;
  vram_free?: number;
}

export interface RunningJob {
  id: string;
  workflow_type: string;
  started_at: string | null;
  progress: Progress | null;
}

export interface Server {
  id: string;
  url: string;
  name: string;
  source: 'settings' | 'demo' | 'admin';
  enabled: boolean;
  draining: boolean;
  slots: number;
  state: 'unknown' | 'up' | 'down';
  last_seen_at: string | null;
  checked_at: string | null;
  version: string | null;
  devices: Device[];
  warm_workflow: string | null;
  jobs_completed: number;
  jobs_failed: number;
  last_error: string | null;
  last_error_at: string | null;
  failures: number;
  open_until: string | null;
  jobs: RunningJob[];
  can_run: string[];
}

export interface Pause {
  workflow_type: string;
  reason: string | null;
  paused_at: string;
}

/** One of 48 steps of the time that is shown; only those in which a job ended. */
export interface Step {
  step: number;
  completed: number;
  failed: number;
  cancelled: number;
  waited_p50: number | null;
  waited_p90: number | null;
}

export interface Figures {
  completed: number;
  failed: number;
  ran_p50: number | null;
  ran_p90: number | null;
}

export interface Statistics {
  since: string;
  step_seconds: number;
  steps: Step[];
  types: (Figures & { workflow_type: string; waited_p50: number | null })[];
  servers: (Figures & { server: string; retried: number })[];
  errors: { error_code: string | null; jobs: number }[];
}
