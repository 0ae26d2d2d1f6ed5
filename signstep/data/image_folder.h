// SPDX-License-Identifier: Apache-2.0
// Pictures of one's own as a data set: FOLDER/train/CLASS/*.png and FOLDER/test/CLASS/*.jpg, a folder for each class.
#pragma once

#include "signstep/data/dataset_spec.h"

namespace signstep {

// Classes are the folders below train in the order of their names, 2 to 256 of them; those below test are among them.
// Files are taken in the order of their names: .png, .jpg and .jpeg in any case; hidden ones are passed over.
// image_size above 0 cuts each picture to a square in the middle and scales it to that side; 0 wants squares of one
// size. Throws OptionError without a folder; DataError for one that lies otherwise, naming what, and for a picture that
// is damaged or of another size; EnvironmentError where the system refuses.
extern const FolderReader kImageFolderReader;

}  // namespace signstep
