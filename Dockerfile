# docker build -t ddsetup . ; then for example
#   docker run --rm -it -v "$HOME/.aws:/home/ddsetup/.aws:ro" -v ddsetup-state:/state -e DD_SITE -e DD_API_KEY -e DD_APP_KEY ddsetup
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY docs/man docs/man
COPY ddsetup ddsetup
RUN python -m venv /opt/ddsetup \
    && /opt/ddsetup/bin/pip install --no-cache-dir --disable-pip-version-check --no-compile . \
    && /opt/ddsetup/bin/pip uninstall --yes --quiet pip \
    && find /opt/ddsetup -name __pycache__ -prune -exec rm -r {} +

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 ddsetup \
    && install -d -m 0700 -o ddsetup -g ddsetup /state /work
COPY --from=build /opt/ddsetup /opt/ddsetup
ENV PATH=/opt/ddsetup/bin:$PATH DDSETUP_STATE_DIR=/state LANG=C.UTF-8
USER 10001
WORKDIR /work
VOLUME /state
ENTRYPOINT ["ddsetup"]
