/**
 * A program that does nothing, like `node -e 0`, and says what it took. It ends by itself, because there are peers whose
 * servers would keep it.
 */
require('./used').sayUsed();
process.exit();
