FROM python:3.12-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir uv==0.13.9 && useradd --create-home --uid 50000 airflow \
    && mkdir -p /opt/airflow/passwords && chown -R airflow /opt/airflow
WORKDIR /opt/customer-tiers
COPY pyproject.toml uv.lock README.md ./
COPY plugins plugins
RUN uv sync --frozen --no-dev --no-cache
COPY . .
ENV PATH=/opt/customer-tiers/.venv/bin:$PATH
USER airflow
