/** What the files that scan a body have in common. */
const { BODIES } = require('../apps/bodies');
const { internal } = require('./ours');

const LIMIT_BYTES = 65_536;

exports.scanner = (size, arranged = (body) => body) => {
  const { innerCode, innerCodeReader } = internal('business-code/codes.js');
  const text = JSON.stringify(arranged(BODIES[size]));
  return () => {
    const reader = innerCodeReader(LIMIT_BYTES);
    reader.push(text, 'utf8');
    reader.end(true, (codes) => {
      if (innerCode(codes) !== '0000') throw new Error('the code was not found');
    });
  };
};
