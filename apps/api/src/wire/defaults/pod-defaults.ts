import { admissionDefaults } from '#domain';
import type { Container, Pod, PodSpec, Volume } from '../wire-objects.js';
import type { Wire } from '../schema/wire-type.js';

type Probe = Wire<'core.v1.Probe'>;

/** A pod with every default that Kubernetes' users see; what the client gave stays as it was given. */
export function defaultPod(pod: Pod): Pod {
  return { ...pod, spec: admissionDefaults(defaultPodSpec(pod.spec ?? {})) };
}

/** The defaults that a pod spec gets wherever it stands, also in a template. */
export function defaultPodSpec(spec: PodSpec): PodSpec {
  return {
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
    securityContext: {},
    ...spec,
    ...(spec.containers ? { containers: spec.containers.map(defaultContainer) } : {}),
    ...(spec.initContainers ? { initContainers: spec.initContainers.map(defaultContainer) } : {}),
    ...(spec.volumes ? { volumes: spec.volumes.map(defaultVolume) } : {}),
    ...serviceAccountNames(spec),
  };
}

/** `serviceAccount` is the deprecated name of `serviceAccountName`: whichever is given stands for both. */
function serviceAccountNames(spec: PodSpec): PodSpec {
  const name = spec.serviceAccountName ?? spec.serviceAccount;
  return name === undefined ? {} : { serviceAccountName: name, serviceAccount: name };
}

function defaultContainer(container: Container): Container {
  const { image, ports, env, resources, livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  return {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...(image ? { imagePullPolicy: pullPolicyOf(image) } : {}),
    ...container,
    resources: defaultResources(resources ?? {}),
    ...(ports ? { ports: ports.map((port) => ({ protocol: 'TCP', ...port })) } : {}),
    ...(env ? { env: env.map(defaultEnvVar) } : {}),
    ...(livenessProbe ? { livenessProbe: defaultProbe(livenessProbe) } : {}),
    ...(readinessProbe ? { readinessProbe: defaultProbe(readinessProbe) } : {}),
    ...(startupProbe ? { startupProbe: defaultProbe(startupProbe) } : {}),
    ...(lifecycle ? { lifecycle: defaultLifecycle(lifecycle) } : {}),
  };
}

/** `Always` for the tag `latest`, which is also the tag of an image without tag and digest. */
function pullPolicyOf(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** What is limited and not requested is requested as limited. */
function defaultResources(resources: Wire<'core.v1.ResourceRequirements'>): Wire<'core.v1.ResourceRequirements'> {
  const { limits, requests } = resources;
  return limits ? { ...resources, requests: { ...limits, ...requests } } : resources;
}

function defaultEnvVar(env: Wire<'core.v1.EnvVar'>): Wire<'core.v1.EnvVar'> {
  const { fieldRef, resourceFieldRef } = env.valueFrom ?? {};
  if (!fieldRef && !resourceFieldRef) return env;
  return {
    ...env,
    valueFrom: {
      ...env.valueFrom,
      ...(fieldRef ? { fieldRef: { apiVersion: 'v1', ...fieldRef } } : {}),
      ...(resourceFieldRef ? { resourceFieldRef: { divisor: '0', ...resourceFieldRef } } : {}),
    },
  };
}

/** Timings and thresholds; a zero stands for the default (kubelet could do nothing with it). */
function defaultProbe(probe: Probe): Probe {
  const { timeoutSeconds, periodSeconds, successThreshold, failureThreshold, httpGet, grpc } = probe;
  return {
    ...probe,
    timeoutSeconds: timeoutSeconds || 1,
    periodSeconds: periodSeconds || 10,
    successThreshold: successThreshold || 1,
    failureThreshold: failureThreshold || 3,
    ...(httpGet ? { httpGet: defaultHttpGet(httpGet) } : {}),
    ...(grpc ? { grpc: { service: '', ...grpc } } : {}),
  };
}

const defaultHttpGet = (httpGet: Wire<'core.v1.HTTPGetAction'>): Wire<'core.v1.HTTPGetAction'> => ({
  ...httpGet,
  path: httpGet.path || '/',
  scheme: httpGet.scheme || 'HTTP',
});

function defaultLifecycle(lifecycle: Wire<'core.v1.Lifecycle'>): Wire<'core.v1.Lifecycle'> {
  const { postStart, preStop } = lifecycle;
  return {
    ...lifecycle,
    ...(postStart?.httpGet ? { postStart: { ...postStart, httpGet: defaultHttpGet(postStart.httpGet) } } : {}),
    ...(preStop?.httpGet ? { preStop: { ...preStop, httpGet: defaultHttpGet(preStop.httpGet) } } : {}),
  };
}

/** Mode 0644 of projected files, in decimal as JSON has it. */
const fileMode = 420;

function defaultVolume(volume: Volume): Volume {
  const { configMap, secret, downwardAPI, projected } = volume;
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  return {
    ...volume,
    ...(sources.length === 0 ? { emptyDir: {} } : {}),
    ...(configMap ? { configMap: { defaultMode: fileMode, ...configMap } } : {}),
    ...(secret ? { secret: { defaultMode: fileMode, ...secret } } : {}),
    ...(downwardAPI ? { downwardAPI: { defaultMode: fileMode, ...downwardAPI } } : {}),
    ...(projected ? { projected: { defaultMode: fileMode, ...projected } } : {}),
  };
}
