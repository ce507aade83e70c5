/**
 * Small container images made from local files, without a registry and without a build: for tests, the demo and the base
 * images of docker-compose where none can be pulled. The same input gives the same image, byte for byte.
 *
 *   node scripts/images.mjs [REFERENCE]     makes the busybox image (default podledger-test/busybox:1) unless it is there
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import Dockerode from 'dockerode';

/** The image that tests run: busybox with every applet linked. */
export const BUSYBOX = 'podledger-test/busybox:1';

const BLOCK = 512;
const CONTENT_LABEL = 'podledger.dev/content';
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

/**
 * Makes an image out of entries and loads it unless the engine has it already. Returns the reference.
 * An entry is `{path, mode?, content}`, `{path, mode?, source}` (a file, link or whole directory of this machine),
 * `{path, link}` (a symbolic link) or `{path, mode?}` (a directory). `config` is the OCI image config's own `config`.
 */
export async function ensureImage({ reference, entries, config = {} }, docker = new Dockerode()) {
  const image = imageArchive({ reference, entries, config });
  if (await isThere(docker, reference, image.content)) return reference;
  const answer = await docker.loadImage(Readable.from([image.archive]));
  let text = '';
  for await (const chunk of answer) text += chunk;
  const failure = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line).error)
    .find((error) => error !== undefined);
  if (failure !== undefined) throw new Error(`cannot load ${reference}: ${failure}`);
  return reference;
}

/** Makes the busybox image unless it is there. Returns the reference. */
export async function ensureBusybox(docker = new Dockerode(), reference = BUSYBOX) {
  return ensureImage({ reference, entries: busyboxEntries(), config: busyboxConfig }, docker);
}

export const busyboxConfig = {
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  Cmd: ['sh'],
};

/** A root file system of this machine's static busybox: a base for other images too. */
export function busyboxEntries() {
  const program = staticBusybox();
  const applets = execFileSync(program, ['--list'], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox')
    .sort();
  return [
    { path: '/bin/busybox', mode: 0o755, source: program },
    ...applets.map((name) => ({ path: `/bin/${name}`, link: 'busybox' })),
    {
      path: '/etc/passwd',
      mode: 0o644,
      content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    },
    { path: '/etc/group', mode: 0o644, content: 'root:x:0:\nnobody:x:65534:\n' },
    { path: '/root', mode: 0o700 },
    { path: '/tmp', mode: 0o1777 },
  ];
}

/**
 * A docker-archive with one image of one layer, and its two parts as a registry serves them. `content` identifies it
 * whatever the engine calls it.
 */
export function imageArchive({ reference, entries, config = {} }) {
  const layer = tar(expand(entries));
  const diffId = `sha256:${sha256(layer)}`;
  const content = sha256(JSON.stringify([diffId, config]));
  const imageConfig = JSON.stringify({
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: { ...config, Labels: { ...config.Labels, [CONTENT_LABEL]: content } },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  });
  const digest = sha256(imageConfig);
  const manifest = JSON.stringify([{ Config: `${digest}.json`, RepoTags: [reference], Layers: ['layer.tar'] }]);
  const archive = tar([
    { path: `${digest}.json`, mode: 0o644, data: Buffer.from(imageConfig) },
    { path: 'layer.tar', mode: 0o644, data: layer },
    { path: 'manifest.json', mode: 0o644, data: Buffer.from(manifest) },
  ]);
  return { content, archive, config: Buffer.from(imageConfig), layer };
}

async function isThere(docker, reference, content) {
  try {
    const { Config } = await docker.getImage(reference).inspect();
    return Config.Labels?.[CONTENT_LABEL] === content;
  } catch (error) {
    if (error.statusCode === 404) return false;
    throw error;
  }
}

function staticBusybox() {
  const program = ['/bin/busybox', '/usr/bin/busybox', '/sbin/busybox'].find((path) => existsSync(path));
  if (program === undefined || !isStatic(readFileSync(program))) {
    throw new Error('a static busybox is needed to make test images: install the package busybox-static');
  }
  return program;
}

/** Whether a 64-bit ELF program needs no loader: it has no program header of type PT_INTERP. */
function isStatic(elf) {
  const PT_INTERP = 3;
  const [offset, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  return Array.from({ length: count }, (_, i) => elf.readUInt32LE(offset + i * size)).every(
    (type) => type !== PT_INTERP,
  );
}

/** Entries as tar members: sources read, directories walked, parents added, sorted by path. */
function expand(entries) {
  const members = new Map();
  for (const entry of entries) {
    const path = posix.normalize(entry.path).replace(/^\/+/, '').replace(/\/$/, '');
    if (entry.source !== undefined) addSource(members, path, entry);
    else if (entry.link !== undefined) members.set(path, { path, link: entry.link });
    else if (entry.content !== undefined) {
      members.set(path, { path, mode: entry.mode ?? 0o644, data: Buffer.from(entry.content) });
    } else members.set(path, { path, mode: entry.mode ?? 0o755, directory: true });
  }
  for (const path of [...members.keys()]) {
    for (let up = posix.dirname(path); up !== '.'; up = posix.dirname(up)) {
      if (!members.has(up)) members.set(up, { path: up, mode: 0o755, directory: true });
    }
  }
  return [...members.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function addSource(members, path, { source, mode }) {
  const found = lstatSync(source);
  if (found.isSymbolicLink()) members.set(path, { path, link: readlinkSync(source) });
  else if (found.isDirectory()) {
    members.set(path, { path, mode: mode ?? found.mode & 0o7777, directory: true });
    for (const name of readdirSync(source))
      addSource(members, posix.join(path, name), { source: posix.join(source, name) });
  } else if (found.isFile()) {
    members.set(path, { path, mode: mode ?? found.mode & 0o7777, data: readFileSync(source) });
  }
}

function sha256(content) {
  return createHash('sha256').update(content).digest('hex');
}

/** A POSIX tar: all owned by root, all of 1970. Paths that a header cannot hold travel in a pax record before it. */
function tar(members) {
  const blocks = [];
  for (const { path, mode = 0o777, link = '', data = Buffer.alloc(0), directory = false } of members) {
    const name = directory ? `${path}/` : path;
    const records = [
      ...(Buffer.byteLength(name) > 100 ? [paxRecord('path', name)] : []),
      ...(Buffer.byteLength(link) > 100 ? [paxRecord('linkpath', link)] : []),
    ];
    if (records.length > 0) {
      const pax = Buffer.from(records.join(''));
      blocks.push(header('pax', 0o644, pax.length, 'x', ''), padded(pax));
    }
    const type = link !== '' ? '2' : directory ? '5' : '0';
    blocks.push(header(name, mode, data.length, type, link), padded(data));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** `<length> key=value\n`, where the length counts its own digits. */
function paxRecord(key, value) {
  const bytes = Buffer.byteLength(` ${key}=${value}\n`);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length > length) length += 1;
  return `${length} ${key}=${value}\n`;
}

function padded(data) {
  return Buffer.concat([data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}

function header(name, mode, size, type, link) {
  const block = Buffer.alloc(BLOCK);
  const octal = (value, offset, length) =>
    block.write(value.toString(8).padStart(length - 1, '0') + '\0', offset, 'latin1');
  block.write(name, 0, 100, 'utf8');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  block.write(link, 157, 100, 'utf8');
  block.write('ustar\x0000', 257, 'latin1');
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(checksum.toString(8).padStart(6, '0') + '\0 ', 148, 'latin1');
  return block;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await ensureBusybox(new Dockerode(), process.argv[2] ?? BUSYBOX));
}
