/** One measurement of an inbound request, from its labels to the histogram. */
const { internal, started } = require('./ours');

exports.prepare = () => {
  started();
  const { recorder } = internal('shared-state.js').sharedState().running;
  return (i) => {
    recorder.recordInner(
      {
        fCode: 'C001',
        path: '/api/100B/:id',
        isRoute: true,
        httpStatus: '200',
        code: '0000',
        methodCode: '',
        httpMethod: 'GET',
      },
      i % 100,
    );
  };
};
