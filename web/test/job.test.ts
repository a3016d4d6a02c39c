import { describe, expect, it } from 'vitest';
import type { Job, OutputFile, Outputs } from '../src/lib/api/types';
import {
  caption,
  doing,
  downloadUrl,
  failure,
  frameRatio,
  inputFiles,
  matches,
  percent,
  storageUrl,
} from '../src/lib/job';
import { averageColour } from '../src/lib/thumbhash';
import { DEFAULT_VIEW } from '../src/lib/view';

const job = (changes: Partial<Job> = {}): Job => ({
  id: '0199f0aa-0000-7000-8000-000000000001',
  user_id: 'me',
  job_id: '0199f0aa-0000-7000-8000-000000000001',
  workflow_type: 'img2img',
  workflow_name: 'workflow.json',
  status: 'pending',
  version: 1,
  created_at: '2026-11-22T12:00:00Z',
  updated_at: '2026-11-22T12:00:00Z',
  result_urls: [],
  priority: 5,
  attempt: 1,
  max_attempts: 3,
  inputs: {},
  outputs: null,
  visibility: 'private',
  ...changes,
});
const picture = { name: 'output', kind: 'image', key: 'k', content_type: 'image/png' } as const;
const output = (changes: Partial<OutputFile>): Outputs => ({
  files: [{ ...picture, size_bytes: 1, sha256: '', ...changes }],
});

describe('the frame of a card', () => {
  it('is the result’s own, then what was asked for, then the input’s', () => {
    const inputs = { width: 640, height: 320, image: { key: 'k', width: 100, height: 100 } };
    expect(frameRatio(job({ inputs, outputs: output({ width: 300, height: 200 }) }))).toBe(1.5);
    expect(frameRatio(job({ inputs }))).toBe(2);
    expect(frameRatio(job({ inputs: { resolution: { width: 200, height: 100 } } }))).toBe(2);
    expect(frameRatio(job({ inputs: { list: [{ key: 'k', width: 80, height: 100 }] } }))).toBe(0.8);
    expect(frameRatio(job())).toBe(1);
  });

  it('stays within what a grid can show', () => {
    expect(frameRatio(job({ inputs: { width: 9000, height: 10 } }))).toBeLessThan(3);
    expect(frameRatio(job({ inputs: { width: 10, height: 9000 } }))).toBeGreaterThan(0.5);
  });
});

describe('words about a job', () => {
  it('take the title, then the prompt, then the file, then the workflow', () => {
    const inputs = { image: { key: 'k', filename: 'cat.png' } };
    expect(caption(job({ title: 'T', prompt_text: 'P', inputs }), 'W')).toBe('T');
    expect(caption(job({ prompt_text: ' a\n b ', inputs }), 'W')).toBe('a b');
    expect(caption(job({ inputs }), 'W')).toBe('cat.png');
    expect(caption(job(), 'W')).toBe('W');
  });

  it('say what it is doing', () => {
    expect(doing(job())).toBe('Queued');
    expect(doing(job({ waiting_reason: 'no server' }))).toBe('Waiting');
    expect(doing(job({ status: 'processing' }))).toBe('Starting');
    expect(doing(job({ status: 'processing', progress: { stage: 'uploading' } }))).toBe(
      'Sending inputs',
    );
    expect(
      doing(job({ status: 'processing', progress: { stage: 'running', node_title: 'Sampler' } })),
    ).toBe('Sampler');
    expect(doing(job({ cancel_requested_at: 'now' }))).toBe('Cancelling');
  });

  it('know how far it is', () => {
    expect(percent(job())).toBeNull();
    expect(percent(job({ progress: { stage: 'running', percent: 140 } }))).toBe(100);
    expect(percent(job({ progress: { stage: 'running', value: 1, max: 4 } }))).toBe(25);
  });

  it('give one line of an error', () => {
    expect(failure(job({ error_message: 'It broke.\nTraceback' }))).toBe('It broke.');
    expect(failure(job())).toMatch(/without saying why/);
  });
});

describe('a live job', () => {
  const view = DEFAULT_VIEW;
  it('belongs in the feed when it passes every filter', () => {
    expect(matches(job(), view, 'me')).toBe(true);
    expect(matches(job(), view, 'you')).toBe(false);
    expect(matches(job(), { ...view, scope: 'all' }, 'you')).toBe(true);
    expect(matches(job({ deleted_at: 'now' }), view, 'me')).toBe(false);
    expect(matches(job({ deleted_at: 'now' }), { ...view, trash: true }, 'me')).toBe(true);
    expect(matches(job(), { ...view, types: ['wan-i2v'] }, 'me')).toBe(false);
    expect(matches(job(), { ...view, only: true, workflow: 'img2img' }, 'me')).toBe(true);
    expect(matches(job(), { ...view, statuses: ['failed'] }, 'me')).toBe(false);
    expect(matches(job(), { ...view, kind: 'image' }, 'me')).toBe(false);
    expect(matches(job({ outputs: output({}) }), { ...view, kind: 'image' }, 'me')).toBe(true);
  });

  it('is searched as the server would', () => {
    const search = (q: string) =>
      matches(job({ prompt_text: 'A Red fox runs' }), { ...view, q }, 'me');
    expect(search('red run')).toBe(true);
    expect(search('"red fox"')).toBe(true);
    expect(search('"fox red"')).toBe(false);
    expect(search('red -fox')).toBe(false);
    expect(search('-')).toBe(false);
  });
});

describe('files', () => {
  it('are found in lists and groups', () => {
    const inputs = { a: { key: '1' }, g: [{ audio: { key: '2' }, mask: null }], n: 3, s: 'key' };
    expect(inputFiles(inputs).map((file) => file.key)).toEqual(['1', '2']);
  });

  it('get a URL that no name can break', () => {
    expect(storageUrl('workflows/a/b c?#.png')).toBe('/storage/workflows/a/b%20c%3F%23.png');
  });

  it('have an average colour', () => {
    expect(averageColour('1QcSHQRnh493V4dIh4eXh1h4kJUI')).toMatch(/^rgb\(\d+ \d+ \d+ \/ 1\)$/);
    expect(averageColour('***')).toBeNull();
    expect(averageColour(null)).toBeNull();
  });
});

it('has no address for a file of an old table that was never stored', () => {
  const lost = { name: 'wani2v_00031_.mp4', kind: 'comfyui' } as unknown as OutputFile;
  expect(downloadUrl(lost)).toBe('');
  expect(downloadUrl({ ...lost, key: 'workflows/a b.png' })).toBe(
    '/storage/workflows/a%20b.png?download=1',
  );
});
