import { replicaSetRules } from '../replica-set/rules.js';
import type { WorkloadRules } from './rules.js';

/** The rules of every kind of workload, in the order in which the scheduler starts their loops. */
export const WORKLOAD_RULES: readonly WorkloadRules[] = [replicaSetRules];
