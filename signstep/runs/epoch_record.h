// SPDX-License-Identifier: Apache-2.0
// A finished epoch: a line of metrics.jsonl. docs/running.md says what each number means.
#pragma once

#include <string>
#include <vector>

#include "signstep/runs/fields.h"

namespace signstep {

// What the steps of an epoch looked like, thinned out; arrays side by side. What a step has none of is kNotSaid, and an
// array that nobody needs is empty.
struct StepCurve {
  std::vector<uint64_t> step = {};  // counted from 1 over the run
  // Training loss (nats) and accuracy (percent): means over the images since the point before, in the same epoch.
  std::vector<double> loss = {}, accuracy = {};
  std::vector<double> learning_rate = {}, dither_level = {}, gamma = {}, lambda = {}, sgd_rate = {};

  bool empty() const { return step.empty(); }

  template <class Self, class Visit>
  static void fields(Self& c, Visit&& visit) {
    visit("step", c.step);
    visit("loss", c.loss, Unset::kLeftOut);
    visit("accuracy", c.accuracy, Unset::kLeftOut);
    visit("learning_rate", c.learning_rate);
    visit("dither_level", c.dither_level, Unset::kLeftOut);
    visit("gamma", c.gamma, Unset::kLeftOut);
    visit("lambda", c.lambda, Unset::kLeftOut);
    visit("sgd_rate", c.sgd_rate, Unset::kLeftOut);
  }
};

// Without the arrays that say nothing but 0: a run without dither and switch keeps its steps and rates.
void drop_silent(StepCurve& curve);

// Something that happened at a step.
struct RunEvent {
  static constexpr const char* kSwitch = "switch";  // to SGD
  static constexpr const char* kRefused = "switch refused";

  uint64_t step = 0;
  std::string event;
  double lambda = kNotSaid, sgd_rate = kNotSaid, heavy_ball_rate = kNotSaid;
  std::string text = {};  // for people

  template <class Self, class Visit>
  static void fields(Self& e, Visit&& visit) {
    visit("step", e.step);
    visit("event", e.event);
    visit("lambda", e.lambda);
    visit("sgd_rate", e.sgd_rate);
    visit("heavy_ball_rate", e.heavy_ball_rate);
    visit("text", e.text);
  }
};

// Pairs of gradients (train --analyze-every); arrays side by side, kNotSaid for what is not finite.
struct ProbePairs {
  std::vector<uint64_t> step;
  std::vector<double> signal, squared_norm, noise, agreement, density, seconds;

  bool empty() const { return step.empty(); }

  template <class Self, class Visit>
  static void fields(Self& p, Visit&& visit) {
    visit("step", p.step);
    visit("signal", p.signal);
    visit("squared_norm", p.squared_norm);
    visit("noise", p.noise);
    visit("agreement", p.agreement);
    visit("density", p.density);
    visit("seconds", p.seconds);
  }
};

// The steps of an epoch. Its parts are written in the order in which they first came: what a checkpoint holds of the
// epoch under way and what the finished epoch's line says read alike.
struct EpochCourse {
  StepCurve curve;
  std::vector<RunEvent> events;
  std::string phase;  // "sign", "blend" or "sgd", of the last step; "" where a rule has none
  ProbePairs probe;

  enum class Part { kProbe, kCurve, kEvents, kPhase };
  std::vector<Part> order() const;

  template <class Self, class Visit>
  static void fields(Self& c, Visit&& visit) {
    for (const Part part : c.order()) {
      switch (part) {
        case Part::kProbe: visit("probe", c.probe, Unset::kLeftOut); break;
        case Part::kCurve: visit("curve", c.curve, Unset::kLeftOut); break;
        case Part::kEvents: visit("events", c.events, Unset::kLeftOut); break;
        case Part::kPhase: visit("phase", c.phase, Unset::kLeftOut); break;
      }
    }
  }
};

// What rank 0 of a run with several workers sent in an epoch's steps, in bytes of payload, and what a float32 sum of
// every gradient would have been.
struct WireRecord {
  uint64_t vote = 0;      // steps by vote
  uint64_t gradient = 0;  // steps along the mean gradient
  uint64_t float32 = 0;

  bool empty() const { return float32 == 0; }  // a run of one worker

  template <class Self, class Visit>
  static void fields(Self& w, Visit&& visit) {
    visit("vote", w.vote);
    visit("gradient", w.gradient);
    visit("float32", w.float32);
  }
};

struct EpochRecord {
  uint64_t epoch = 0, step = 0;                                       // finished ones, from 1; 0: the file does not say
  double learning_rate = kNotSaid;                                    // of the last step
  double train_loss = kNotSaid, train_accuracy = kNotSaid;            // nats, percent
  double validation_loss = kNotSaid, validation_accuracy = kNotSaid;  // kNotSaid without validation images
  double test_loss = kNotSaid, test_accuracy = kNotSaid;
  uint64_t nonfinite = 0;  // coordinates skipped since the run began
  EpochCourse course = {};
  WireRecord wire = {};
  double train_seconds = kNotSaid;      // of the whole run's steps
  double images_per_second = kNotSaid;  // of the session; kNotSaid where it took no step

  template <class Self, class Visit>
  static void fields(Self& r, Visit&& visit) {
    visit("epoch", r.epoch);
    visit("step", r.step);
    visit("learning_rate", r.learning_rate);
    visit("train_loss", r.train_loss);
    visit("train_accuracy", r.train_accuracy);
    visit("validation_loss", r.validation_loss);
    visit("validation_accuracy", r.validation_accuracy);
    visit("test_loss", r.test_loss);
    visit("test_accuracy", r.test_accuracy);
    visit("nonfinite", r.nonfinite);
    EpochCourse::fields(r.course, visit);
    visit("wire", r.wire, Unset::kLeftOut);
    visit("train_seconds", r.train_seconds);
    visit("images_per_second", r.images_per_second);
  }
};

}  // namespace signstep
