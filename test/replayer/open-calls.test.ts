import { describe, expect, it } from 'vitest';
import type { Awaited } from '../../src/replayer/awaited.js';
import { Bindings } from '../../src/replayer/bindings.js';
import { CallScope } from '../../src/replayer/causality.js';
import { OpenCalls } from '../../src/replayer/open-calls.js';
import { Pacing } from '../../src/replayer/pacing.js';
import { Player, RecordedAnswers, type Stage as PlayerStage } from '../../src/replayer/player.js';
import { awaitedReader, type RecordedCall } from '../../src/replayer/recorded-call.js';
import { FakeClock, LiveCall } from './stage.js';
import { Tape, type TapedCall } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const SECOND = 1_000_000_000n;
const IGNORES = { message: (): void => undefined, halfClose: (): void => undefined, cancelled: (): void => undefined, drained: (): void => undefined };

/** Open calls on a clock, and what is played on them. */
class Setting {
  readonly clock = new FakeClock();
  readonly misses: string[] = [];
  readonly open: OpenCalls;
  private readonly stage: PlayerStage;

  constructor(pace = 0) {
    this.stage = { clock: this.clock, heard: () => this.clock.now(), pacing: new Pacing({ pace }), missed: ({ text }) => this.misses.push(text), reannotated: () => undefined, crashed: () => undefined };
    this.open = new OpenCalls(this.stage);
  }

  /** Plays a recorded call whose first message has come. */
  play(recorded: TapedCall): LiveCall {
    const call = new LiveCall(recorded.path, [], () => IGNORES, this.clock);
    const scope = new CallScope(awaitedReader(recorded));
    const player: Player = new Player({ call, recorded, answers: new RecordedAnswers(recorded), scope, stage: this.stage, bindings: new Bindings(), done: () => this.open.leave(player) });
    this.open.join(player);
    scope.happen(this.clock.now());
    player.advance();
    return call;
  }
}

const talk = (): TapedCall => new Tape().call('/some.Service/Talk').sends(bytes('a')).headed().answers(bytes('A')).sends(bytes('b')).ends();
const awaited = (_event: unknown, call: RecordedCall): Awaited => ({ call, words: 'the word' });

describe('open calls', () => {
  it('are those that have not ended', () => {
    const setting = new Setting();
    setting.play(new Tape().call('/some.Service/Talk').sends(bytes('a')).headed().ends());
    expect(setting.open.size).toBe(0);
    setting.play(talk());
    expect(setting.open.size).toBe(1);
  });

  it('have stalled when nothing came for so long, counted from what their client did last', () => {
    const setting = new Setting();
    const calls = [setting.play(talk()), setting.play(talk())];
    setting.clock.pass(600);
    expect(setting.open.hasStalled(SECOND)).toBe(false);
    setting.open.touch();
    setting.clock.pass(999);
    expect(setting.open.hasStalled(SECOND)).toBe(false);
    setting.clock.pass(1);
    expect(setting.open.hasStalled(SECOND)).toBe(true);
    setting.open.failStalled(SECOND, awaited);
    const text = 'bridgetape: the recording goes on with the word, and for 1 s nothing came';
    expect([calls.map(({ status }) => status?.message), setting.misses, setting.open.size]).toEqual([[text, text], [text], 0]);
  });

  it('have not stalled while one of them has something to send at its time', () => {
    const setting = new Setting(1);
    setting.play(talk());
    const tape = new Tape();
    const slow = tape.call('/some.Service/Slow').sends(bytes('a')).headed();
    tape.after(5000);
    slow.answers(bytes('late')).ends();
    const call = setting.play(slow);
    setting.clock.pass(4000);
    setting.open.failStalled(SECOND, awaited);
    expect([setting.open.hasStalled(SECOND), setting.misses]).toEqual([false, []]);
    setting.clock.pass(1000);
    expect([call.texts, setting.open.hasStalled(SECOND)]).toEqual([['late'], false]);
    setting.clock.pass(1000);
    expect(setting.open.hasStalled(SECOND)).toBe(true);
  });

  it('fail together, each with its end', () => {
    const setting = new Setting();
    const calls = [setting.play(talk()), setting.play(talk())];
    setting.open.failAll(9, 'no more');
    expect(calls.map(({ status }) => [status?.code, status?.message])).toEqual([[9, 'no more'], [9, 'no more']]);
    expect([setting.open.size, setting.misses]).toEqual([0, []]);
  });

  it('are cancelled together, and sent nothing more', () => {
    const setting = new Setting();
    const calls = [setting.play(talk()), setting.play(talk())];
    setting.open.cancelAll();
    expect([calls.map(({ status }) => status), setting.open.size]).toEqual([[undefined, undefined], 0]);
  });
});
