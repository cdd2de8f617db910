# One image per service: its own distribution, the two libraries, what these need, nothing else.
#   docker build -f deploy/service.Dockerfile --build-arg SERVICE=contacts -t crm-contacts .
FROM python:3.11-slim AS wheels
WORKDIR /build
# The same layer for all images, made anew only when the lock changes; every file's hash is checked.
COPY requirements/service.lock requirements/dev.lock deploy/image/pins.py ./
RUN pip download --quiet --no-cache-dir --disable-pip-version-check --require-hashes \
        --only-binary=:all: --dest wheels -r service.lock \
 && python pins.py dev.lock hatchling packaging pathspec pluggy tomlkit trove-classifiers \
        > build.lock \
 && python -m venv builder \
 && builder/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes \
        -r build.lock

FROM wheels AS build
ARG SERVICE
COPY libs libs
COPY services services
# The console hosts all services; every other image is built from its own folder alone.
RUN builder/bin/pip wheel --quiet --no-index --no-deps --no-build-isolation --wheel-dir ours \
        ./libs/events ./libs/service \
        $([ "$SERVICE" = console ] && printf './services/%s ' $(ls services) || echo "./services/$SERVICE") \
 && python -m venv /app \
 && /app/bin/pip install --quiet --no-index --find-links wheels --find-links ours "crm-$SERVICE" \
 && /app/bin/pip uninstall --quiet --yes setuptools pip

FROM python:3.11-slim
ARG SERVICE
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin crm \
 && install -d -o crm -g crm /var/lib/crm /var/lib/crm-columns
COPY --from=build /app /app
COPY deploy/image/healthcheck.py /app/healthcheck.py
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1 \
    SERVICE=$SERVICE CRM_HOST=0.0.0.0 CRM_PORT=8000 CRM_HEALTH_PORT=8000
USER crm
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "/app/healthcheck.py"]
# docker run crm-contacts relay
ENTRYPOINT ["sh", "-c", "exec python -m \"crm_$SERVICE\" \"$@\"", "crm"]
CMD ["serve"]
