import { recall, remember } from './memory';

const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

class Appearance {
  theme = $state<Theme>(THEMES.find((theme) => theme === recall('theme')) ?? 'auto');

  constructor() {
    this.#apply();
  }

  next(): void {
    this.theme = THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length] ?? 'auto';
    remember('theme', this.theme);
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset.theme = this.theme;
  }
}

export const appearance = new Appearance();
