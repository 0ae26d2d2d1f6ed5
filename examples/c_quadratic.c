/* SPDX-License-Identifier: Apache-2.0 */
/* signstep.h from C99: dithered Signum, then the calibrated switch to SGD, on f(x) = 1/2 sum_i a_i x_i^2. Halfway the
 * state is saved and given to a new optimizer, which goes on with the same bits. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <signstep.h>

#define SIZE 1000
#define STEPS 2000

static const char options[] =
    "{\"optimizer\": \"signum\", \"dither\": \"relative\", \"switch_when\": \"at\", \"switch_at\": 0.6,"
    " \"seed\": 1, \"total_steps\": 2000}";

static void check(int code) {
  if (code == SIGNSTEP_OK) return;
  fprintf(stderr, "signstep %s: %s\n", signstep_version(), signstep_last_error());
  exit(1);
}

static float curvature(int i) { return 0.1f + (float)(i % 10); }

static double value(const float* x) {
  double f = 0;
  for (int i = 0; i < SIZE; ++i) f += 0.5 * curvature(i) * x[i] * x[i];
  return f;
}

/* A new optimizer in the place of one, with its state. */
static signstep_optimizer* reopen(signstep_optimizer* before) {
  size_t size = 0;
  check(signstep_optimizer_state(before, NULL, 0, &size));
  char* state = malloc(size);
  if (state == NULL) abort();
  check(signstep_optimizer_state(before, state, size, &size));
  signstep_optimizer* after = NULL;
  check(signstep_optimizer_new(options, 1, &after));
  check(signstep_optimizer_restore(after, state));
  free(state);
  signstep_optimizer_free(before);
  return after;
}

int main(void) {
  static float x[SIZE], g[SIZE], m[SIZE]; /* m starts at 0 */
  signstep_optimizer* optimizer = NULL;
  check(signstep_set_threads(2));
  check(signstep_optimizer_new(options, 1, &optimizer));
  for (int i = 0; i < SIZE; ++i) x[i] = 1.0f;
  for (int t = 0; t < STEPS; ++t) {
    for (int i = 0; i < SIZE; ++i) g[i] = curvature(i) * x[i];
    const double lr = 0.01 * (1.0 - (double)t / STEPS); /* any schedule of the caller's */
    const signstep_tensor tensor = {.x = x, .g = g, .m = m, .n = SIZE, .lr = lr, .decay = 0};
    signstep_report report;
    check(signstep_optimizer_step(optimizer, &tensor, 1, NULL, NULL, &report));
    if (report.has_event) printf("step %d: SGD at %g times the rate\n", t + 1, report.lambda);
    if (t == STEPS / 2) optimizer = reopen(optimizer);
    if ((t + 1) % 500 == 0) printf("step %d: f = %g\n", t + 1, value(x));
  }
  signstep_optimizer_free(optimizer);
  return value(x) < 0.05 ? 0 : 1;
}
