/** `bridgetape replay --help faults`, from the same table that faults are parsed by. */
import { FAULT_KINDS, POINTS } from '../replayer/index.js';
import type { Topic } from './synopsis.js';

export const FAULT_TOPIC: Topic = {
  name: 'faults',
  paragraphs: [
    '--fault METHOD[#N][@POINT]=WHAT[:ARGUMENT]',
    'Makes something go wrong in a replay. A SPEC is checked before anything runs. A fault that never fires is told at the end, and the exit status is 3. What the cassette cannot answer once a fault has fired is told, and does not count.',
  ],
  tables: [
    {
      title: 'METHOD: whose calls',
      rows: [
        ['ReadFile', 'a method of the cassette, or one that bridgetape knows'],
        ['LLBBridge/Solve', 'the same with its service, where several have the name'],
        ['/package.Service/Method', 'the same with its whole path'],
        ['*', 'every method'],
      ],
    },
    { title: '#N: which call of the method, from 1', rows: [['#2', 'the second one, by whichever client and build; left out: every one']] },
    { title: '@POINT: when in the course of the call; left out: as soon as it has come', rows: POINTS.map(({ form, about }) => [form, about]) },
    { title: 'WHAT happens', rows: FAULT_KINDS.map(({ form, about }) => [form, about]) },
  ],
  examples: ['ReadFile#2=UNAVAILABLE', "LLBBridge/Solve=INTERNAL:'no space left'", 'ExecProcess@1500ms=reset', 'ExecProcess@3messages=RST_STREAM:CANCEL', 'Status@1KiB=end', 'Ping=hang', 'ReadDir#1=delay:2s'],
};
