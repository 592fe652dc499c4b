# Build the virtual environment, then run it without a compiler, without root. `--target tools` adds what `licence backup`
# needs for PostgreSQL: its client programs, of the server's version.
FROM python:3.13-slim AS build
WORKDIR /src
# requirements-telemetry.txt for traces, requirements-hsm.txt for an HSM, requirements-redis.txt for shared limits
ARG REQUIREMENTS=requirements.txt
COPY requirements*.txt ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r ${REQUIREMENTS}
COPY . .
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim AS service
RUN useradd --system --uid 10001 --home-dir /nonexistent licence && mkdir /data && chown licence /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=9s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/readyz', timeout=8)"]
ENTRYPOINT ["licence"]
CMD ["serve", "--host", "0.0.0.0"]

FROM service AS tools
USER 0
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install -y --no-install-recommends postgresql-client-18 && rm -rf /var/lib/apt/lists/*
USER 10001

FROM service
