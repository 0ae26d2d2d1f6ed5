// SPDX-License-Identifier: Apache-2.0
// What every test includes, compiled once (signstep_test in cmake/SignstepTargets.cmake).
