// Lets a child process of a test run this project's TypeScript as it stands: node --import this-file child.ts
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
