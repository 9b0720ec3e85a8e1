/** The browsers that play the scenarios, each with one page. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { inject, vi } from 'vitest';
import { ended } from './process.js';
import { viewOf } from './view.js';
import type { Running } from './view.js';
import { Session } from './webdriver.js';

const startChromium = async (options: (version: string) => BrowserContextOptions): Promise<{ readonly running: Running; readonly page: Page }> => {
  const browser = await chromium.connectOverCDP(inject('devtools'), { noDefaults: true });
  const context = await browser.newContext(options(browser.version()));
  const page = await context.newPage();
  const stop = async (): Promise<void> => {
    await context.close();
    // Ends the connection to Chromium, which runs on.
    await browser.close();
  };
  return { running: { ...viewOf(page), name: `Chromium ${browser.version()}`, stop }, page };
};

/** Chromium on a desktop. */
export const desktop = async (): Promise<Running> => (await startChromium(() => ({ viewport: { width: 1200, height: 900 } }))).running;

/** Chromium as a phone has it: a finger, and a small page of many pixels. */
export const phone = async (): Promise<Running> => {
  const { running, page } = await startChromium((version) => ({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 3,
    isMobile: true,
    hasTouch: true,
    userAgent: `Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version.split('.')[0]}.0.0.0 Mobile Safari/537.36`,
  }));
  return { ...running, name: `${running.name} as a phone`, click: (selector) => page.tap(selector) };
};

/** Firefox, through WebDriver BiDi. */
export const firefox = async (): Promise<Running> => {
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath: needed('FIREFOX', 'firefox-esr'), headless: true, defaultViewport: { width: 1200, height: 900 } });
  // Not the page that is there at first: its window has the focus in the address bar.
  const page = await browser.newPage();
  return {
    name: (await browser.version()).replace('firefox/', 'Firefox '),
    goto: (url) => page.goto(url),
    evaluate: (run, arg) => page.evaluate(run as never, arg),
    click: (selector) => page.click(selector),
    press: (key) => page.keyboard.press(key),
    named: async (role, name) => (await page.$$(`aria/${name}[role="${role}"]`)).length,
    stop: () => browser.close(),
  };
};

/** WebKitGTK's small browser, through WebDriver. It knows no headless mode, so it gets a display that nobody sees. */
export const webkit = async (): Promise<Running> => {
  const [program, xvfb] = [needed('WEBKIT_DRIVER', 'webkit2gtk-driver'), needed('XVFB', 'xvfb')];
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const child of children.reverse()) {
      child.kill();
      await ended(child);
    }
  };
  // Neither ends by itself when this process is ended.
  process.once('exit', () => children.forEach((child) => child.kill()));
  try {
    const display = spawn(xvfb, ['-displayfd', '3', '-screen', '0', '1200x938x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    children.push(display);
    const number = await new Promise<string>((resolve, reject) => {
      display.stdio[3]?.once('data', (text: Buffer) => resolve(text.toString().trim()));
      display.once('error', reject).once('exit', (code) => reject(new Error(`Xvfb ended (${code})`)));
    });
    const port = await freePort();
    const driver = spawn(program, [`--port=${port}`], { env: { ...process.env, DISPLAY: `:${number}` }, stdio: 'ignore' });
    children.push(driver);
    const url = `http://127.0.0.1:${port}`;
    await vi.waitFor(() => fetch(`${url}/status`), { timeout: 30_000, interval: 25 });
    const session = await Session.begin(url, {});
    return Object.assign(session, {
      name: `WebKitGTK ${session.capabilities.browserVersion as string}`,
      stop: async () => {
        await session.end();
        await stop();
      },
    });
  } catch (error) {
    await stop();
    throw error;
  }
};

/** The program that `client/browser/run` has found, or why there is none. */
const needed = (variable: string, debian: string): string => {
  const found = process.env[variable];
  if (!found) throw new Error(`not installed (Debian: apt-get install ${debian})`);
  return found;
};

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
