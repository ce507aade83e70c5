import { imageIdOf, LayerProgress, parseReference } from './docker-pull.js';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('an image reference', () => {
  it.each([
    ['busybox', 'busybox', 'busybox:latest'],
    ['busybox:1.35', 'busybox', 'busybox:1.35'],
    ['library/nginx', 'library/nginx', 'library/nginx:latest'],
    [
      'registry.example.org/team/app:v1.2-rc_3',
      'registry.example.org/team/app',
      'registry.example.org/team/app:v1.2-rc_3',
    ],
    ['localhost/app', 'localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app', 'localhost:5000/app:latest'],
    ['[::1]:5000/app:1', '[::1]:5000/app', '[::1]:5000/app:1'],
    ['Registry.Example.org/a__b/c-d.e', 'Registry.Example.org/a__b/c-d.e', 'Registry.Example.org/a__b/c-d.e:latest'],
    [`app@${DIGEST}`, 'app', `app@${DIGEST}`],
    [`127.0.0.1:5000/app:1@${DIGEST}`, '127.0.0.1:5000/app', `127.0.0.1:5000/app:1@${DIGEST}`],
  ])('%s', (reference, repository, full) => {
    expect(parseReference(reference)).toEqual({ repository, full });
  });

  it.each([
    '',
    ' ',
    'a b',
    'Nginx',
    'UPPER/case',
    'a:b:c',
    'a/',
    '/a',
    'a//b',
    '../x',
    'a?x=1',
    'a#x',
    'a:',
    'a@sha256:12',
    'a\n',
    'x'.repeat(601),
  ])('%j is none', (reference) => {
    expect(() => parseReference(reference)).toThrow(expect.objectContaining({ fault: 'InvalidImageName' }));
  });

  // A pattern that tries every way to split these would not come back within the test's time.
  it.each(['a-'.repeat(299), 'a.'.repeat(299), 'a_'.repeat(299), 'a/'.repeat(299)])(
    'of hostile shape is refused',
    (start) => {
      expect(() => parseReference(`${start}!`)).toThrow(expect.objectContaining({ fault: 'InvalidImageName' }));
    },
  );
});

describe('what an image is called by its registry', () => {
  const RepoDigests = [`other.example/app@${DIGEST}`, `registry.example/app@${DIGEST}`];
  it('is the digest there', () => {
    expect(imageIdOf({ Id: 'sha256:id', RepoDigests }, 'registry.example/app:1')).toBe(RepoDigests[1]);
  });
  it('is a digest elsewhere, or the bare id, where that registry has none', () => {
    expect(imageIdOf({ Id: 'sha256:id', RepoDigests }, 'app:1')).toBe(RepoDigests[0]);
    expect(imageIdOf({ Id: 'sha256:id', RepoDigests: [] }, 'app:1')).toBe('sha256:id');
  });
});

describe('progress of a pull', () => {
  it('is the sum over the layers and never runs backwards', () => {
    const progress = new LayerProgress();
    const lines = [
      { status: 'Pulling from library/app', id: '1' },
      { status: 'Pulling fs layer', id: 'a', progressDetail: {} },
      { status: 'Downloading', id: 'a', progressDetail: { current: 10, total: 100 } },
      { status: 'Downloading', id: 'b', progressDetail: { current: 5, total: 50 } },
      { status: 'Downloading', id: 'a', progressDetail: { current: 5, total: 100 } },
      { status: 'Download complete', id: 'a', progressDetail: {} },
      { status: 'Extracting', id: 'a', progressDetail: { current: 1, total: 100 } },
      { status: 'Pull complete', id: 'b', progressDetail: {} },
      { status: `Digest: ${DIGEST}` },
    ];
    const sums = lines.filter((line) => progress.apply(line)).map(() => progress.total());
    expect(sums.length).toBe(4);
    expect(progress.total()).toEqual({ bytesDone: 150, bytesTotal: 150 });
  });
});
