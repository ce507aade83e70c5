import type Dockerode from 'dockerode';
import { busyboxConfig, busyboxEntries, ensureBusybox, ensureImage } from '../../scripts/images.mjs';

/** The image most tests run, loaded into the engine if need be: busybox with every applet (httpd, wget, nc, sh ...). */
export function busybox(docker: Dockerode): Promise<string> {
  return ensureBusybox(docker);
}

/** A busybox image with files and an image config of its own, under the given reference. */
export function busyboxWith(
  docker: Dockerode,
  reference: string,
  files: Readonly<Record<string, string>>,
  config: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const added = Object.entries(files).map(([path, content]) => ({ path, content }));
  return ensureImage(
    { reference, entries: [...busyboxEntries(), ...added], config: { ...busyboxConfig, ...config } },
    docker,
  );
}
