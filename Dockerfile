# docker build -t customer-report .
# docker run --rm -v "$PWD/reports:/report/reports" customer-report            runs `make report`
# docker run --rm customer-report make test
FROM python:3.12-slim-bookworm

# make runs everything; Chromium and a font are for the tests that look at pages.
RUN apt-get update \
 && apt-get install -y --no-install-recommends make chromium fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 analyst && mkdir /report && chown analyst /report
USER analyst
WORKDIR /report

# The environment first: it is built again only if one of these files changes.
COPY --chown=analyst Makefile requirements.lock ./
RUN make .venv/ready

COPY --chown=analyst . .
RUN touch .venv/ready

CMD ["make", "report"]
