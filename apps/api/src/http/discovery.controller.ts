import { All, Controller, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JsonObject } from '#domain';
import type { ApiCore } from '../api-core.js';
import { methodNotAllowed, noSuchPath } from '../status-error.js';
import {
  aggregatedDiscovery,
  aggregatedMediaType,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  negotiate,
  openApiV2ProtobufType,
  type OpenApi,
} from '../wire/index.js';
import { sendObject } from './answers.js';
import { segmentsOf } from './path.js';
import { API_CORE, OPEN_API } from './tokens.js';

/** What clients ask before anything else: which kinds there are, what their fields are, which version this is. */
@Controller()
export class DiscoveryController {
  constructor(
    @Inject(API_CORE) private readonly core: ApiCore,
    @Inject(OPEN_API) private readonly openApi: OpenApi,
  ) {}

  @All('version')
  async version(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    onlyGet(request);
    await sendObject(reply, 200, versionInfo());
  }

  @All(['api', 'apis'])
  async roots(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    onlyGet(request);
    const { discoverable: resources } = this.core.registry;
    const scope = segmentsOf(pathOf(request))[0] === 'api' ? 'core' : 'named';
    const { form, encoding } = negotiate(request.headers.accept, ['APIGroupDiscoveryList']);
    reply.header('Vary', 'Accept');
    if (form.as === 'APIGroupDiscoveryList') {
      const { version } = form;
      // The exact parameters are what tells clients which form they have: Fastify must not add a charset to them.
      await reply
        .code(200)
        .header('Content-Type', aggregatedMediaType(version))
        .serializer((text: string) => text)
        .send(JSON.stringify(aggregatedDiscovery(resources, scope, version)));
      return;
    }
    const body = scope === 'core' ? apiVersions(resources, request.headers.host ?? '') : apiGroupList(resources);
    await sendObject(reply, 200, body, { encoding });
  }

  @All(['api/:version', 'apis/:group', 'apis/:group/:version'])
  async group(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { discoverable: resources } = this.core.registry;
    const [root, ...rest] = segmentsOf(pathOf(request));
    const [group = '', version] = root === 'api' ? ['', ...rest] : rest;
    const body = version === undefined ? apiGroup(resources, group) : apiResourceList(resources, { group, version });
    if (!body) throw noSuchPath();
    onlyGet(request);
    const { encoding } = negotiate(request.headers.accept);
    await sendObject(reply, 200, body, { encoding });
  }

  @All('openapi/v3')
  async openApiV3Index(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    onlyGet(request);
    await sendObject(reply, 200, this.openApi.v3Index());
  }

  @All('openapi/v3/*')
  async openApiV3(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    onlyGet(request);
    const document = this.openApi.v3(segmentsOf(pathOf(request)).slice(2).join('/'));
    if (!document) throw noSuchPath();
    const forever = new URL(request.url, 'http://host').searchParams.get('hash') === document.hash;
    await reply
      .code(200)
      .type('application/json')
      .header('Cache-Control', forever ? 'public, immutable, max-age=31536000' : 'no-cache, private')
      .header('ETag', `"${document.hash}"`)
      .send(document.body);
  }

  @All('openapi/v2')
  async openApiV2(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    onlyGet(request);
    reply.header('Vary', 'Accept').code(200);
    if (/openapi\.spec\.v2@v1\.0\+protobuf|openapi\.spec\.v2\.v1\.0\+protobuf/.test(request.headers.accept ?? '')) {
      const { body, hash } = this.openApi.v2Protobuf();
      await reply.header('Content-Type', openApiV2ProtobufType).header('ETag', `"${hash}"`).send(Buffer.from(body));
      return;
    }
    const { body, hash } = this.openApi.v2Json();
    await reply.type('application/json').header('ETag', `"${hash}"`).send(body);
  }
}

function onlyGet({ method }: FastifyRequest): void {
  if (method !== 'GET') throw methodNotAllowed();
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '';

/** The Kubernetes whose behaviour clients may expect here; the schema knows later fields too (ADR 10). */
const behavesAs = 'v1.32.0';

/** `version.Info`. */
function versionInfo(): JsonObject {
  const [major = '1', minor = '0'] = behavesAs.replace(/^v/, '').split('.');
  return {
    major,
    minor,
    gitVersion: `${behavesAs}+podledger`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
