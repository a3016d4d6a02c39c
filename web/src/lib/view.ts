import { KINDS, STATUSES, type Kind, type Status } from './api/types';

/** What there is beside the feed; servers and people are for administrators. */
export const PAGES = ['account', 'keys', 'limits', 'people', 'servers'] as const;

/** What the page shows. All of it lives in the URL, so that a link is a saved view. */
export interface View {
  page: (typeof PAGES)[number] | null; // instead of the feed
  workflow: string | null; // chosen in the form
  scope: 'mine' | 'all';
  only: boolean; // "This workflow": the feed follows the form's choice
  types: string[];
  statuses: Status[];
  kind: Kind | null;
  q: string;
  trash: boolean;
  job: string | null; // open in the detail
}

export const DEFAULT_VIEW: View = {
  page: null,
  workflow: null,
  scope: 'mine',
  only: false,
  types: [],
  statuses: [],
  kind: null,
  q: '',
  trash: false,
  job: null,
};

const WORKFLOW_TYPE = /^[a-z0-9][a-z0-9-]{0,62}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Read a query string; what makes no sense in it is left out. */
export function parseView(search: string): View {
  const params = new URLSearchParams(search);
  const among = <T extends string>(known: readonly T[], value: string | null) =>
    known.find((item) => item === value) ?? null;
  const matching = (pattern: RegExp, value: string | null) =>
    value !== null && pattern.test(value) ? value : null;
  const unique = <T>(items: T[]) => [...new Set(items)];
  return {
    page: among(PAGES, params.get('page')),
    workflow: matching(WORKFLOW_TYPE, params.get('workflow')),
    scope: params.get('scope') === 'all' ? 'all' : 'mine',
    only: params.get('feed') === 'this',
    types: unique(params.getAll('type')).filter((type) => WORKFLOW_TYPE.test(type)),
    statuses: STATUSES.filter((status) => params.getAll('status').includes(status)),
    kind: among(KINDS, params.get('kind')),
    q: (params.get('q') ?? '').slice(0, 200),
    trash: params.get('trash') === '1',
    job: matching(UUID, params.get('job')),
  };
}

/** The shortest query string that gives this view back. */
export function formatView(view: View): string {
  const params = new URLSearchParams();
  if (view.page) params.set('page', view.page);
  if (view.workflow) params.set('workflow', view.workflow);
  if (view.scope === 'all') params.set('scope', 'all');
  if (view.only) params.set('feed', 'this');
  for (const type of view.types) params.append('type', type);
  for (const status of view.statuses) params.append('status', status);
  if (view.kind) params.set('kind', view.kind);
  if (view.q) params.set('q', view.q);
  if (view.trash) params.set('trash', '1');
  if (view.job) params.set('job', view.job);
  const text = params.toString();
  return text ? `?${text}` : '';
}

/** The filters of GET /api/jobs behind a view. */
export interface Filters {
  scope: 'mine' | 'all';
  workflow_type?: string[];
  status?: Status[];
  kind?: Kind;
  q?: string;
  trash?: boolean;
}

export function filtersOf(view: View): Filters {
  const types = view.only && view.workflow ? [view.workflow] : view.types;
  return {
    scope: view.scope,
    ...(types.length ? { workflow_type: types } : {}),
    ...(view.statuses.length ? { status: view.statuses } : {}),
    ...(view.kind ? { kind: view.kind } : {}),
    ...(view.q.trim() ? { q: view.q.trim() } : {}),
    ...(view.trash ? { trash: true } : {}),
  };
}

/** Whether anything but the two switches narrows the feed. */
export function isFiltered(view: View): boolean {
  return Boolean(
    view.types.length || view.statuses.length || view.kind || view.q.trim() || view.trash,
  );
}
