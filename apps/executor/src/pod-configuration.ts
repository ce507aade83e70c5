import {
  configRefsOf,
  DomainError,
  NoAnswer,
  NO_CONFIG,
  RemoteRefusal,
  type AssignedPod,
  type Clock,
  type ConfigContents,
} from '#domain';
import type { Report } from './report.js';

/** Asks the control plane what a pod names. Throws `NoAnswer`, `RemoteRefusal` or `DomainError`. */
export type AskConfig = (podUid: string) => Promise<ConfigContents>;

/** Asks without being told of a change: a lost hint costs this much time at most, in milliseconds. */
const REASK_MS = 60_000;
/** Waits after a question that was not answered. */
const RETRY_MS = { first: 250, max: 5_000 };

export interface PodConfigurationDeps {
  readonly askConfig: AskConfig;
  readonly clock: Clock;
  readonly report: Report;
  /** Another content than before is at hand. */
  readonly changed: () => void;
}

/** The ConfigMaps and Secrets that one pod names, kept as new as its node can have them. Of values it tells nobody. */
export class PodConfiguration {
  private known: ConfigContents | undefined;
  private isNamed = false;
  private asking = false;
  private due = false;
  private failures = 0;
  private stopped = false;
  private uid = '';
  private cancelTimer: () => void = () => undefined;

  constructor(private readonly deps: PodConfigurationDeps) {}

  /** `undefined` while a pod that names some has not heard of it. */
  get contents(): ConfigContents | undefined {
    return this.isNamed ? this.known : NO_CONFIG;
  }

  /** The pod as it is wanted now. A pod that is to end is told nothing new. */
  look(pod: AssignedPod | undefined): void {
    if (!pod || pod.deletion || pod.terminated) return this.rest();
    const { configMaps, secrets } = configRefsOf(pod.spec);
    if (this.isNamed || configMaps.length + secrets.length === 0) return;
    this.isNamed = true;
    this.uid = pod.key.uid;
    this.refresh();
  }

  /** Something of it may have changed. */
  refresh(): void {
    if (!this.isNamed || this.stopped) return;
    this.due = true;
    if (!this.asking) void this.ask();
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer();
  }

  private rest(): void {
    this.isNamed = false;
    this.cancelTimer();
  }

  private async ask(): Promise<void> {
    this.asking = true;
    this.cancelTimer();
    while (this.due) {
      this.due = false;
      const isHeard = await this.askOnce();
      if (this.stopped || !this.isNamed) break;
      if (this.due) continue;
      const retryMs = Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** Math.min(this.failures, 10));
      this.cancelTimer = this.deps.clock.after(isHeard ? REASK_MS : retryMs, () => this.refresh());
    }
    this.asking = false;
  }

  private async askOnce(): Promise<boolean> {
    const { askConfig, report, changed } = this.deps;
    try {
      const heard = await askConfig(this.uid);
      this.failures = 0;
      if (this.known && isSame(this.known, heard)) return true;
      this.known = heard;
      if (!this.stopped) changed();
      return true;
    } catch (cause) {
      if (!(cause instanceof NoAnswer || cause instanceof RemoteRefusal || cause instanceof DomainError)) throw cause;
      this.failures += 1;
      if (this.failures === 1 && !(cause instanceof NoAnswer))
        report(`the configuration of pod ${this.uid} is not to be had`, cause);
      return false;
    }
  }
}

const isSame = (a: ConfigContents, b: ConfigContents): boolean =>
  JSON.stringify([[...a.configMaps], [...a.secrets]]) === JSON.stringify([[...b.configMaps], [...b.secrets]]);
