import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.js';

const root = document.querySelector('#root') as HTMLElement;
const { url = '', token = '' } = root.dataset;
createRoot(root).render(createElement(App, { url, tokenUrl: token }));
