/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface of signstep (C99): SignSGD, Signum and Lion with dither and the calibrated switch to SGD
 * (docs/algorithms.md), signs packed into bits and their majority, the same on CUDA devices, and moments. For other
 * languages: no exception, no memory and no C++ type crosses it. examples/c_quadratic.c is a whole program.
 *
 * Ownership. The caller owns every array, m and maximum included; an optimizer holds only its options and the numbers
 * of its state. Arrays of one call must not overlap; nothing looks. Text comes out by copy. Errors. A function that can
 * fail returns SIGNSTEP_OK or what was wrong; signstep_last_error() then says what was seen, what was wanted and what
 * to do. An argument that is wrong is found before anything is changed; where the caller's own passes fail, the tensors
 * of a step that are here have moved. Threads. One call at a time for one optimizer or moments object; different ones
 * may be used at once. The bits of every result are the same for any number of threads, and whatever rounding or
 * flushing of denormals the calling thread has set, which is put back. Stability. Within one SONAME functions are added
 * only, and structs stay as they are. */
#ifndef SIGNSTEP_C_SIGNSTEP_H_
#define SIGNSTEP_C_SIGNSTEP_H_

/* NOLINTBEGIN(modernize-*): it is C */
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SIGNSTEP_API __attribute__((visibility("default")))
#else
#define SIGNSTEP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SIGNSTEP_OK = 0,
  SIGNSTEP_INTERNAL = 1,    /* please report it */
  SIGNSTEP_OPTION = 2,      /* an option or an argument is wrong, or a TOML text */
  SIGNSTEP_DATA = 3,        /* JSON text is malformed, or a value is not finite */
  SIGNSTEP_CHECKPOINT = 4,  /* a state is damaged or another optimizer's */
  SIGNSTEP_ENVIRONMENT = 5, /* memory ran out, or the machine refused */
  SIGNSTEP_CALLBACK = 6     /* the caller's own function failed */
};

SIGNSTEP_API const char* signstep_version(void); /* "0.1.0" */
/* Of the last call of this thread that failed; "" before any. Stays until the next one fails. */
SIGNSTEP_API const char* signstep_last_error(void);

/* Threads that all functions share, the caller's included, at least 1. At first as many as the process may keep busy. A
 * call that finds them busy with another one runs on its own thread. Not while another call is running. */
SIGNSTEP_API int signstep_set_threads(uint32_t threads);
SIGNSTEP_API uint32_t signstep_threads(void);

/* ---- options ---------------------------------------------------------------------------------------------------- */

/* Text results: up to size bytes are written, the last of them 0, and *needed is the size that all of it takes. text
 * may be NULL where size is 0. */

/* A JSON list of every option: {"name", "group", "type", "default", "unit", "wanted", "help"}. type: flag, integer,
 * number or text. */
SIGNSTEP_API int signstep_options(char* text, size_t size, size_t* needed);

/* ---- optimizer -------------------------------------------------------------------------------------------------- */

typedef struct signstep_optimizer signstep_optimizer;

/* options: a JSON object {"optimizer": "signum", "dither": "relative", "total_steps": 1000} or the same as TOML; what
 * it leaves out has its documented default. tensors: how many each step gets. Free what comes out. */
SIGNSTEP_API int signstep_optimizer_new(const char* options, uint64_t tensors, signstep_optimizer** out);
SIGNSTEP_API void signstep_optimizer_free(signstep_optimizer* optimizer); /* NULL is allowed */

/* More tensors at the end, from the next step on. SIGNSTEP_OPTION for fewer, and after the first step under
 * switch_scope tensor. */
SIGNSTEP_API int signstep_optimizer_grow(signstep_optimizer* optimizer, uint64_t tensors);

/* The rank whose draws dither and coins take, 0 at first, below 65535; no part of the state. */
SIGNSTEP_API int signstep_optimizer_set_rank(signstep_optimizer* optimizer, uint32_t rank);

/* The options with every default filled in, as JSON. */
SIGNSTEP_API int signstep_optimizer_options(const signstep_optimizer* optimizer, char* text, size_t size,
                                            size_t* needed);
SIGNSTEP_API uint64_t signstep_optimizer_steps(const signstep_optimizer* optimizer); /* taken */

/* Which arrays of each tensor the next step reads and writes; each is all 0 at first. For the whole run: those that any
 * step may. */
enum { SIGNSTEP_M = 1, SIGNSTEP_MAXIMUM = 2 };
SIGNSTEP_API uint32_t signstep_optimizer_buffers(const signstep_optimizer* optimizer);
SIGNSTEP_API uint32_t signstep_optimizer_run_buffers(const signstep_optimizer* optimizer);

typedef struct signstep_tensor {
  float* x;       /* n values, stepped in place; NULL with n > 0: stepped by the caller's passes, see below */
  const float* g; /* n gradients, only read */
  float* m;       /* n averages, as signstep_optimizer_buffers says */
  float* maximum; /* n running maxima of |u|, likewise */
  uint64_t n;     /* below 2^34; 0: sits the step out */
  double lr;      /* this step's rate, 0 and more: any schedule, also after the switch, when SGD runs at Lambda lr */
  double decay;   /* decoupled weight decay, 0 and more; lr * decay < 1 */
} signstep_tensor;

enum { SIGNSTEP_PHASE_SIGN = 0, SIGNSTEP_PHASE_BLEND = 1, SIGNSTEP_PHASE_SGD = 2 };

typedef struct signstep_report {
  uint64_t nonfinite;             /* coordinates that were NaN or infinite: no step, no decay, m stays */
  uint64_t first_nonfinite;       /* tensor of the first of them, where there is one */
  double dither_level;            /* c_t */
  double gamma, lambda, sgd_rate; /* of the switch; NaN where there is none */
  uint32_t phase;                 /* that this step was taken in */
  uint32_t has_event;             /* the switch happened, or was refused, with this step */
} signstep_report;

/* Sums over a tensor's finite coordinates, as docs/numerics.md has them. */
typedef struct signstep_statistics {
  uint64_t finite, nonfinite, nonzero;
  double s_dot_v, v_dot_v, u_dot_u;
} signstep_statistics;

enum { SIGNSTEP_PASS_SIGN = 0, SIGNSTEP_PASS_MEASURE = 1, SIGNSTEP_PASS_SGD = 2 };

/* What a pass is to do to one tensor: kernels/sign_kernel.h and kernels/sgd_kernel.h have the equations. Enumerations
 * count in the order of the names that signstep_options gives (zero, dither_on, dither_noise). */
typedef struct signstep_pass {
  uint32_t kind, tensor; /* tensor: its place in the list */
  uint32_t arrays;       /* SIGNSTEP_M, SIGNSTEP_MAXIMUM: which take part */
  uint32_t zero, dither_on, noise;
  uint32_t sums; /* wanted besides finite and nonfinite; 0: none, 1: u_dot_u, 2: all */
  uint32_t v_is_m, sgd_along_g;
  double b1, b2, lr, decay_factor, sigma, sgd_rate; /* SGD: b2 is mu, sgd_rate the rate */
  double l2;
  uint64_t seed, step;
  uint32_t rank;
} signstep_pass;

/* Does count passes and sets their statistics, on tensors that the kernels cannot take (another device or type).
 * Returns 0, or anything else to end the step with SIGNSTEP_CALLBACK. */
typedef int (*signstep_passes)(void* context, const signstep_pass* passes, uint64_t count,
                               signstep_statistics* statistics);

/* One step over count tensors, as many as the optimizer was made for, in one pass over each: 12 bytes a parameter, 20
 * with m. passes may be NULL where every tensor has an x. report may be NULL. SIGNSTEP_OPTION for a rate, a decay, a
 * size or an array that cannot be. */
SIGNSTEP_API int signstep_optimizer_step(signstep_optimizer* optimizer, const signstep_tensor* tensors, uint64_t count,
                                         signstep_passes passes, void* context, signstep_report* report);
/* What the last step's event says to people, in one line; "" where it had none. */
SIGNSTEP_API int signstep_optimizer_event(const signstep_optimizer* optimizer, char* text, size_t size, size_t* needed);

/* The numbers of the state as JSON, doubles exact: with the arrays m and maximum and the same options, all that a run
 * needs to go on bit for bit. restore changes nothing where it fails: SIGNSTEP_CHECKPOINT for another optimizer's
 * state, by the first option that differs. Learning rate and decay may differ; so may a seed that draws nothing and a
 * total_steps that nothing refers to. */
SIGNSTEP_API int signstep_optimizer_state(const signstep_optimizer* optimizer, char* text, size_t size, size_t* needed);
SIGNSTEP_API int signstep_optimizer_restore(signstep_optimizer* optimizer, const char* state);

/* ---- signs as bits ---------------------------------------------------------------------------------------------- */

/* Element i is bit i mod 64 of word i / 64, 1 means +1; the bits after the last element are 0. */
SIGNSTEP_API uint64_t signstep_words(uint64_t elements);

enum { SIGNSTEP_ZERO_RANDOM = 1, SIGNSTEP_ZERO_PLUS = 2 };

/* Which draws: of (seed, step, tensor, rank). step < 2^48, tensor < 2^24, rank < 2^16. */
typedef struct signstep_draw {
  uint64_t seed, step;
  uint32_t tensor, rank;
} signstep_draw;

/* The signs of n values. zero: what 0 packs as; NaN and infinity pack as a coin and are counted in *nonfinite, which
 * may be NULL. words: signstep_words(n) of them. */
SIGNSTEP_API int signstep_pack(const float* values, uint64_t n, uint32_t zero, const signstep_draw* coins,
                               uint64_t* words, uint64_t* nonfinite);
/* values[i] = +1 or -1. */
SIGNSTEP_API int signstep_unpack(const uint64_t* words, uint64_t n, float* values);
/* x[i] = decay_factor x[i] -+ lr, the kernels' step along signs that came from elsewhere. */
SIGNSTEP_API int signstep_apply(const uint64_t* words, uint64_t n, double lr, double decay_factor, float* x);

enum { SIGNSTEP_TIE_RANDOM = 0, SIGNSTEP_TIE_PLUS = 1 };

/* Bit by bit the majority of workers (1 .. 65534) times words words, one worker after the other. ties:
 * SIGNSTEP_TIE_...; votes and majority do not overlap; a random tie is a coin of (seed, step, tensor as the message's
 * number); rank is not used. first_word: which word of the message majority[0] is. */
SIGNSTEP_API int signstep_majority(const uint64_t* votes, uint64_t workers, uint64_t words, uint32_t ties,
                                   const signstep_draw* coins, uint64_t first_word, uint64_t* majority);

/* ---- CUDA ------------------------------------------------------------------------------------------------------- */

/* The same on tensors of a CUDA device, with the same bits, by libsignstep_cuda.so, which is opened when it is first
 * asked for (docs/gpu.md). Arrays are the device's memory; a stream is a cudaStream_t, NULL the default one, and work
 * is done in its order, without waiting unless it is said. SIGNSTEP_ENVIRONMENT where library, driver or device is
 * missing or memory ran out. */
SIGNSTEP_API int signstep_cuda_devices(uint32_t* count);
/* Why tensors of a device cannot be stepped here and never will in this process, for who has another way: no library,
 * driver or such device, or no code for it. Empty where they can; an error where that may pass, as memory that ran out.
 * Takes the device into use. */
SIGNSTEP_API int signstep_cuda_obstacle(uint32_t device, char* text, size_t size, size_t* needed);

/* Steps of one device's tensors. Free what comes out, after the work that it launched. */
typedef struct signstep_cuda signstep_cuda;
SIGNSTEP_API int signstep_cuda_new(uint32_t device, signstep_cuda** out);
SIGNSTEP_API void signstep_cuda_free(signstep_cuda* cuda); /* NULL is allowed */

enum { SIGNSTEP_FLOAT32 = 0, SIGNSTEP_FLOAT16 = 1, SIGNSTEP_BFLOAT16 = 2 };

typedef struct signstep_cuda_tensor {
  void* x;             /* n values of x_type, stepped in place */
  const void* g;       /* n gradients of g_type, only read */
  float* m;            /* as signstep_tensor's */
  float* maximum;      /* NULL unless signstep_optimizer_buffers asks for it */
  uint64_t n;          /* 0: sits the step out */
  uint32_t x_type;     /* SIGNSTEP_FLOAT32, ... */
  uint32_t g_type;     /* likewise */
  uint32_t stochastic; /* 1: an x that is not float32 is rounded by draws, so that the mean is right; 0: to nearest */
} signstep_cuda_tensor;

/* What the next launches do: passes[i] to tensors[passes[i].tensor], all of one kind. rounding: seed and step of the
 * draws that round, rank and tensor are not used; may be NULL where no tensor asks for them. Waits for the
 * last launch where it is under way and not of a graph: launch on one stream. */
SIGNSTEP_API int signstep_cuda_set(signstep_cuda* cuda, const signstep_cuda_tensor* tensors, uint64_t tensor_count,
                                   const signstep_pass* passes, uint64_t count, const signstep_draw* rounding);
/* Does it, in one launch, and a second small one where sums are wanted. May be captured into a CUDA graph, whose
 * replays do what the last set said, which must be of the captured tensors, kind and sums. */
SIGNSTEP_API int signstep_cuda_launch(signstep_cuda* cuda, void* stream);
/* The statistics of the last launch, count of them, and undefined before one; waits for it, for a replay the caller
 * does. */
SIGNSTEP_API int signstep_cuda_read(signstep_cuda* cuda, uint64_t count, signstep_statistics* statistics);

/* The three together as the passes of signstep_optimizer_step, for tensors whose x is NULL there; context is a
 * signstep_cuda_step. One wait a step, which is therefore refused where the stream is being captured. */
typedef struct signstep_cuda_step {
  signstep_cuda* cuda;
  const signstep_cuda_tensor* tensors; /* as many as the optimizer has; those that are elsewhere are not looked at */
  uint64_t count;
  void* stream;
  signstep_draw rounding;
} signstep_cuda_step;
SIGNSTEP_API int signstep_cuda_passes(void* context, const signstep_pass* passes, uint64_t count,
                                      signstep_statistics* statistics);

/* signstep_pack, _unpack, _apply and _majority on the device. type: of the values. nonfinite: one number of the device,
 * which is added to, or NULL. */
SIGNSTEP_API int signstep_cuda_pack(uint32_t device, void* stream, const void* values, uint32_t type, uint64_t n,
                                    uint32_t zero, const signstep_draw* coins, uint64_t* words, uint64_t* nonfinite);
SIGNSTEP_API int signstep_cuda_unpack(uint32_t device, void* stream, const uint64_t* words, uint64_t n, float* values);
SIGNSTEP_API int signstep_cuda_apply(uint32_t device, void* stream, const uint64_t* words, uint64_t n, double lr,
                                     double decay_factor, float* x);
SIGNSTEP_API int signstep_cuda_majority(uint32_t device, void* stream, const uint64_t* votes, uint64_t workers,
                                        uint64_t words, uint32_t ties, const signstep_draw* coins, uint64_t first_word,
                                        uint64_t* majority);

/* ---- moments ---------------------------------------------------------------------------------------------------- */

/* Moments up to order four of every coordinate of a stream of float vectors, in one pass, without cancellation
 * (Welford 1962; Pebay 2008). 32 bytes a coordinate. */
typedef struct signstep_moments signstep_moments;
SIGNSTEP_API int signstep_moments_new(uint64_t coordinates, signstep_moments** out);
SIGNSTEP_API void signstep_moments_free(signstep_moments* moments); /* NULL is allowed */
/* One vector, as long as coordinates. SIGNSTEP_DATA, and nothing is added, where a value is NaN or infinite. */
SIGNSTEP_API int signstep_moments_add(signstep_moments* moments, const float* x, uint64_t n);
SIGNSTEP_API uint64_t signstep_moments_draws(const signstep_moments* moments);
/* Mean, unbiased variance, skewness and excess kurtosis of each coordinate; each array is as long as coordinates, or
 * NULL where it is not wanted. */
SIGNSTEP_API int signstep_moments_read(const signstep_moments* moments, uint64_t n, double* mean, double* variance,
                                       double* skewness, double* kurtosis);

/* E[sign] of each of n coordinates under noise with these moments, finite sigma >= 0, and Gaussian dither of
 * standard deviation dither >= 0, in [-1, 1], NaN where one of its moments is NaN (theory/dither_law.h). */
SIGNSTEP_API int signstep_expected_sign(uint64_t n, const double* gradient, const double* sigma, const double* skewness,
                                        const double* kurtosis, double dither, double* out);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif /* SIGNSTEP_C_SIGNSTEP_H_ */
