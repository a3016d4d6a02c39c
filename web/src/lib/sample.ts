import { composer } from './form/composer.svelte';
import type { Field } from './form/fields';
import { isFile } from './form/fields';
import { LocalMedia } from './form/upload.svelte';
import type { Values } from './form/values';
import { location } from './location.svelte';
import { session } from './session.svelte';

const PREFERRED = ['img2img', 'image-edit', 'style-transfer', 'wan-i2v'];
const [WIDTH, HEIGHT] = [768, 512];

/** Submit one job with inputs made here, so that a newcomer sees a result within a minute. */
export async function startSample(): Promise<void> {
  for (const type of candidates()) {
    location.go({ workflow: type });
    const form = await composer.show(type);
    if (!form || !(await fillIn(form.fields, form.values))) continue;
    if (await composer.submit()) return;
    throw new Error('The sample was not accepted. The form says why.');
  }
  throw new Error(
    'No installed workflow runs with a sample picture alone. Fill in the form instead.',
  );
}

function candidates(): string[] {
  const runnable = session.workflows.filter((one) => one.available || one.preview_available);
  const rank = (type: string) =>
    (PREFERRED.indexOf(type) + PREFERRED.length + 1) % (PREFERRED.length + 1);
  return runnable.map((one) => one.type).sort((a, b) => rank(a) - rank(b));
}

async function fillIn(fields: Field[], values: Values): Promise<boolean> {
  const needed = fields.filter((field) => field.required);
  if (
    needed.some(
      (field) => !['image', 'text', 'string'].includes(field.kind) && field.default === null,
    )
  ) {
    return false;
  }
  const uploads: LocalMedia[] = [];
  for (const field of needed) {
    if (isFile(field) && !values[field.name]) {
      const media = new LocalMedia(await picture(uploads.length));
      values[field.name] = media;
      uploads.push(media);
    } else if (!isFile(field) && !values[field.name])
      values[field.name] = 'A quiet harbour at dawn';
  }
  await Promise.all(uploads.map((upload) => upload.finished));
  return true;
}

/** A landscape: sky, sun and three ridges. */
async function picture(turn: number): Promise<File> {
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser can’t draw the sample picture.');
  const sky = context.createLinearGradient(0, 0, 0, HEIGHT);
  const colours = turn % 2 ? ['#20335c', '#c06c84', '#f8b195'] : ['#274060', '#e08e6d', '#ffd9a0'];
  colours.forEach((colour, index) => sky.addColorStop(index / 2, colour));
  context.fillStyle = sky;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = '#fff1d0';
  context.beginPath();
  context.arc(WIDTH * 0.62, HEIGHT * 0.52, 54, 0, 7);
  context.fill();
  ['#7d5a68', '#4b4559', '#262b3e'].forEach((colour, layer) => ridge(context, colour, layer));
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('This browser can’t draw the sample picture.');
  return new File([blob], turn ? `sample-${turn + 1}.png` : 'sample.png', { type: 'image/png' });
}

function ridge(context: CanvasRenderingContext2D, colour: string, layer: number): void {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, HEIGHT);
  for (let x = 0; x <= WIDTH; x += 8) {
    const wave = Math.sin(x / (130 - layer * 22) + layer * 2.1) * 26 + Math.sin(x / 47 + layer) * 9;
    context.lineTo(x, HEIGHT * (0.6 + layer * 0.12) + wave);
  }
  context.lineTo(WIDTH, HEIGHT);
  context.fill();
}
