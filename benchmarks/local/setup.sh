#!/bin/sh
# Builds llama-server in $BENCH_WORK/llama-server (default ~/bench-work) from the sources in llama-cpp-python's sdist,
# with the options of our own build of that package: the same code on both sides. Minutes of compiling; needs CMake,
# Ninja and a C++ compiler. JOBS=1 NICE=19 leave the machine to others.
set -eu
version=${1:-0.3.36}
work=${BENCH_WORK:-$HOME/bench-work}/llama-server
options="-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DLLAMA_OPENSSL=OFF"

mkdir -p "$work"
cd "$work"
sdist=llama_cpp_python-$version.tar.gz
if [ ! -f "$sdist" ]; then
  "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps \
    --no-binary llama-cpp-python "llama-cpp-python==$version"
fi
[ -d "llama_cpp_python-$version" ] || tar -xzf "$sdist"
# shellcheck disable=SC2086 # one word an option
cmake -S "llama_cpp_python-$version/vendor/llama.cpp" -B build -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_BUILD_TESTS=OFF \
  -DLLAMA_BUILD_EXAMPLES=OFF $options >configure.log
nice -n "${NICE:-0}" cmake --build build --parallel "${JOBS:-$(nproc)}" --target llama-server >build.log
echo "$work/build/bin/llama-server"
