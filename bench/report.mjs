// The results as a table for a terminal, and as docs/benchmarks.md.
import { verdict } from './figures.mjs';

/** @typedef {import('./forward.mjs').Section} Section */

/** @param {Section} section */
export function terminal(section) {
  const lines = [section.header, ...section.rows];
  const widths = section.header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const texts = textColumns(section);
  const table = lines.map((line) =>
    line
      .map((cell, column) => (texts[column] ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const goals = section.goals.map((goal) => `  ${goal.what}: ${verdict(goal).text}`);
  return [section.title, '', ...table, ...(goals.length > 0 ? ['', ...goals] : []), ''].join('\n');
}

/** A column that holds something other than numbers stands to the left. @param {Section} section */
function textColumns({ header, rows }) {
  return header.map((_, column) => rows.some((row) => /^[a-z]/i.test(row[column] ?? '')));
}

/**
 * @param {{ command: string, machine: import('./machine.mjs').Machine, rounds: number, sections: readonly Section[] }} run
 * @returns {string}
 */
export function markdown({ command, machine, rounds, sections }) {
  const { cpu, cores, memoryGiB, system, versions, loadAtStart, date } = machine;
  const goals = sections.flatMap((section) => section.goals);
  const met = goals.filter((goal) => verdict(goal).met).length;
  return [
    '# Benchmarks',
    '',
    `The last full run of \`${command}\`, on ${date}: ${rounds} rounds. This file is written by that command; nothing in it is put in by hand.`,
    '',
    `- Machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB of memory; ${system}; load ${loadAtStart.toFixed(2)} when the run began.`,
    `- ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}.`,
    '',
    'Client, server and whatever stands in the middle share these cores, so absolute figures say more about the machine than about a program. The ratios are what to look at: both sides of each were taken in the same run.',
    '',
    '## Goals',
    '',
    `${met} of ${goals.length} met.`,
    '',
    ...goals.map((goal) => `- ${goal.what}: ${verdict(goal).text}.`),
    '',
    ...sections.flatMap((section) => [
      `## ${section.title}`,
      '',
      ...section.method.flatMap((paragraph) => [paragraph, '']),
      ...table(section),
      '',
    ]),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}

/** @param {Section} section */
function table(section) {
  const row = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [
    row(section.header),
    row(textColumns(section).map((text) => (text ? '---' : '---:'))),
    ...section.rows.map(row),
  ];
}
