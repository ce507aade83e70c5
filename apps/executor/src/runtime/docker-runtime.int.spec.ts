import { jest } from '@jest/globals';
import { describeContainerRuntime } from '../../../../test/contract/container-runtime.contract.js';
import { describePodProcesses } from '../../../../test/contract/pod-processes.contract.js';
import { DockerBench } from '../../../../test/support/docker-bench.js';

jest.setTimeout(60_000);

describeContainerRuntime('Docker Engine', () => DockerBench.start());
describePodProcesses('Docker Engine', () => DockerBench.start());
