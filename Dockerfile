# What npm installs, apart from what runs, so that a change of the source does not install anew.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# No install scripts: the native packages, argon2 and bcrypt, bring their binaries along.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force

# Plain JavaScript: Node would keep what strips the types, some 20 MB, for as long as the server runs.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE tsconfig.json tsconfig.server.json ./
COPY bin ./bin
COPY config ./config
COPY examples ./examples
COPY migrations ./migrations
COPY packaging ./packaging
COPY src ./src
COPY views ./views
RUN npm run build

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
# glibc's allocator keeps what a burst of requests took: 46 MiB at rest, of which 10 are in use. jemalloc gives it back, to
# the last page, a few seconds later, and so it does with the 19 MiB that a password hash takes for a moment.
RUN apt-get update && apt-get install -y --no-install-recommends libjemalloc2 && rm -rf /var/lib/apt/lists/*
ENV LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=background_thread:true,dirty_decay_ms:5000,muzzy_decay_ms:0

# The server writes nowhere but to DATA_DIR, and there only without DATABASE_URL: the root file system can be read-only.
RUN mkdir -m 700 /data && chown node:node /data
VOLUME /data

# Owned by root: what runs as `node` cannot change its own program.
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist/server ./

USER node
EXPOSE 3000
# Alive, not ready: a database that is away is no reason to restart the server.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/latchkey.js"]
CMD ["serve"]
