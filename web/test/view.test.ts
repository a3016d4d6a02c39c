import { describe, expect, it } from 'vitest';
import {
  DEFAULT_VIEW,
  filtersOf,
  formatView,
  isFiltered,
  parseView,
  type View,
} from '../src/lib/view';

const FULL: View = {
  page: 'people',
  workflow: 'lipsync-one',
  scope: 'all',
  only: true,
  types: ['img2img', 'wan-i2v'],
  statuses: ['pending', 'failed'],
  kind: 'video',
  q: 'a "quoted phrase" & -not + ümlaut <b>',
  trash: true,
  job: '0199f0aa-0000-7000-8000-000000000001',
};

describe('the URL', () => {
  it('gives back what it was made from', () => {
    expect(parseView(formatView(FULL))).toEqual(FULL);
  });

  it('is empty for the default view', () => {
    expect(formatView(DEFAULT_VIEW)).toBe('');
    expect(parseView('')).toEqual(DEFAULT_VIEW);
  });

  it('drops what makes no sense', () => {
    const odd =
      '?scope=them&feed=x&status=done&status=failed&kind=smell&type=../etc&job=1&workflow=A B';
    expect(parseView(odd)).toEqual({ ...DEFAULT_VIEW, statuses: ['failed'] });
  });

  it('cuts an endless search', () => {
    expect(parseView(`?q=${'x'.repeat(5000)}`).q).toHaveLength(200);
  });

  it('names each type once', () => {
    expect(parseView('?type=a&type=a&type=b').types).toEqual(['a', 'b']);
  });
});

describe('filters', () => {
  it('keep the two switches apart', () => {
    const view = { ...DEFAULT_VIEW, workflow: 'img2img', types: ['wan-i2v'] };
    expect(filtersOf(view)).toEqual({ scope: 'mine', workflow_type: ['wan-i2v'] });
    expect(filtersOf({ ...view, only: true })).toEqual({
      scope: 'mine',
      workflow_type: ['img2img'],
    });
    expect(filtersOf({ ...view, only: true, scope: 'all' }).scope).toBe('all');
  });

  it('leave out a blank search', () => {
    expect(filtersOf({ ...DEFAULT_VIEW, q: '   ' })).toEqual({ scope: 'mine' });
    expect(isFiltered({ ...DEFAULT_VIEW, q: '   ' })).toBe(false);
    expect(isFiltered({ ...DEFAULT_VIEW, trash: true })).toBe(true);
  });
});
