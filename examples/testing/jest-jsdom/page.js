/**
 * What is tested: the script of a web page, which asks a model and writes the answer into an element.
 *
 * @param {string} url the base URL of the API
 * @param {string} question
 * @param {HTMLElement} element
 */
function showAnswer(url, question, element) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `${url}/responses`);
    request.setRequestHeader('content-type', 'application/json');
    request.addEventListener('error', () => reject(new Error('The request failed.')));
    request.addEventListener('load', () => {
      const { output } = JSON.parse(request.responseText);
      element.textContent = output[0].content[0].text;
      resolve();
    });
    request.send(JSON.stringify({ model: 'gpt-5.4', input: question }));
  });
}

module.exports = { showAnswer };
