export * from './subjects.js';
export { maxPayloadBytes, tooLarge, type ReportProblem } from './codec.js';
export { InMemoryBroker, type Deliver, type InMemoryBrokerOptions } from './memory/in-memory-broker.js';
export { InMemoryBus } from './memory/in-memory-bus.js';
export {
  InMemoryEventFeed,
  InMemoryEventStream,
  type FeedFault,
  type FeedMessage,
} from './memory/in-memory-event-feed.js';
export { connectNats, CredentialsRefused, NatsLink, type NatsLinkOptions } from './nats/nats-link.js';
export { NatsBus } from './nats/nats-bus.js';
export { eventsStream, NatsEventFeed, type FeedWindow } from './nats/nats-event-feed.js';
export { createNatsKeys, createNodeKey, loadNatsKeys, publicKeyOf, saveNatsKeys, type NatsKeys } from './nats/keys.js';
export {
  controlPlaneCreds,
  credsFile,
  joinCreds,
  nodeUserJwt,
  systemCreds,
  type JetStreamLimits,
} from './nats/credentials.js';
export { natsServerConfig, type NatsServerOptions } from './nats/server-config.js';
export { revokeNodeUsers, type RevocationOptions } from './nats/revocation.js';
export * from './protocol.js';
export * from './sealed-box.js';
export { askConfig, type PodConfig } from './pod-config.js';
export {
  ask,
  answer,
  answerNodes,
  joinCall,
  logsCall,
  nodeCalls,
  streamCall,
  type Call,
  type NodeCall,
} from './calls.js';
export { JoinTokens, type JoinTokenRecord, type JoinTokenStore } from './join-tokens.js';
export {
  deadLetterStream,
  DurableConsumer,
  Unprocessable,
  type Delivery,
  type DurableOptions,
  type HandleDelivery,
} from './nats/durable-consumer.js';
export { NodeKeyFiles } from './nats/node-key-files.js';
