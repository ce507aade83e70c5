# The same code for every part; compose gives each its command. Built from `dist` and `node_modules` as npm made them, so that
# no step needs a network.
FROM node:20-bookworm-slim AS modules
WORKDIR /app
COPY package-lock.json scripts/production-modules.mjs ./
COPY node_modules ./node_modules
RUN node production-modules.mjs

FROM node:20-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production PODLEDGER_HOME=/home/podledger
COPY package.json LICENSE ./
COPY --from=modules /app/node_modules ./node_modules
COPY dist ./dist
ENTRYPOINT ["node", "dist/apps/podledger/src/main.js"]
CMD ["--help"]
