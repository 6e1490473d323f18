# syntax=docker/dockerfile:1

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Without scripts: one of them would fetch the Node that is here.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run -s build:package && npm prune --omit=dev --omit=optional --omit=peer --ignore-scripts

FROM node:24-slim
# Others can reach the container, so it refuses to start without SAMEWIRE_KEY. Docker kills ten seconds after it has asked.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8787 SAMEWIRE_GRACE=7
WORKDIR /app
COPY --from=build /app/package.json /app/samewire.schema.json /app/LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/providers/embedded/tiny-chat.gguf providers/embedded/
COPY --from=build /app/src/node.js src/
COPY --from=build /app/dist/package dist/package
# A configuration in /data may import from 'samewire'.
RUN mkdir -p /node_modules /data && ln -s /app /node_modules/samewire && chown node:node /data
WORKDIR /data
VOLUME /data
USER node
EXPOSE 8787
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Not by npm, which keeps signals to itself.
CMD ["node", "--min-semi-space-size=8", "--max-semi-space-size=8", "--heap-growing-percent=300", "/app/src/node.js"]
