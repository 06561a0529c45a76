# One image for every process of the product; what it does is the command it is given.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.lock requirements-run.lock ./
RUN python -m venv /tools && /tools/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
RUN python -m venv /app && /app/bin/pip install --no-cache-dir --require-hashes -r requirements-run.lock
COPY pyproject.toml README.md ./
COPY medfund medfund
COPY services services
RUN /tools/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /app/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.11-slim
RUN groupadd --gid 10001 medfund \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin medfund
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
CMD ["medfund", "--help"]
