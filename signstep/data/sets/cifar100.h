// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "signstep/data/cifar.h"

namespace signstep {

inline DatasetSpec cifar100() {
  return {.name = "cifar100",
          .channels = 3,
          .height = 32,
          .width = 32,
          .labels = {{"coarse",
                      20,
                      {"aquatic_mammals",
                       "fish",
                       "flowers",
                       "food_containers",
                       "fruit_and_vegetables",
                       "household_electrical_devices",
                       "household_furniture",
                       "insects",
                       "large_carnivores",
                       "large_man-made_outdoor_things",
                       "large_natural_outdoor_scenes",
                       "large_omnivores_and_herbivores",
                       "medium_mammals",
                       "non-insect_invertebrates",
                       "people",
                       "reptiles",
                       "small_mammals",
                       "trees",
                       "vehicles_1",
                       "vehicles_2"}},
                     {"fine",
                      100,
                      {"apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
                       "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
                       "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
                       "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
                       "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
                       "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
                       "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
                       "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
                       "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
                       "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
                       "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
                       "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
                       "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
                       "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
                       "table",       "tank",          "telephone", "television", "tiger",        "tractor",
                       "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
                       "willow_tree", "wolf",          "woman",     "worm"}}},
          .train_images = 50000,
          .test_images = 10000,
          .normalization = {{.5071f, .4865f, .4409f}, {.2673f, .2564f, .2762f}},
          .files = {{"train.bin", "e207cd2e05b73b1393c74c7f5e7bea451d63e08e", true},
                    {"test.bin", "8fb6623e830365ff53cf14adec797474f5478006", false}},
          .folders = {"cifar-100-binary", "cifar100"},
          .advice =
              "unpack cifar-100-binary.tar.gz, the official binary version, and give its folder "
              "cifar-100-binary or the one above as --data",
          .reader = &kCifarReader,
          .checksum = sha1_hex};
}

}  // namespace signstep
