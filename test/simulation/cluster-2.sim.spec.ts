import { clusterSuite } from './cluster-suite.js';

clusterSuite(1, 2);
