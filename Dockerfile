# The command line of turnwire, for `turnwire serve` above all: docker build -t turnwire .
FROM node:24-slim AS build
WORKDIR /app
COPY . .
# What the command line is built of; then the dependencies that it runs with, by the lockfile, without compilers.
RUN node scripts/setup.mjs --demo
RUN npm ci --omit=dev --no-audit --no-fund --workspace=packages/client --workspace=packages/emulator --workspace=packages/gateway --workspace=packages/turnwire
RUN rm -rf packages/*/src packages/*/test packages/*/tsconfig*.json packages/*/dist/.tsbuildinfo

FROM node:24-alpine
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/packages ./packages
USER node
# Clients, and the admin page where the configuration has it.
EXPOSE 4000 4040
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:4000/readyz"]
ENTRYPOINT ["node", "/app/packages/turnwire/bin/turnwire.js"]
CMD ["serve", "--config", "/etc/turnwire/gateway.yaml"]
